"""Padding from configs."""

from typing import Any

from torch import nn

from ._build import construct, split
from ._dimension import of_dimension
from ._registries import PADDING_LAYERS
from ._typing import LayerConfig

PADDING_LAYERS.register_builtin(
    {
        "zero": nn.ZeroPad2d,
        "reflect": nn.ReflectionPad2d,
        "replicate": nn.ReplicationPad2d,
    },
    overridable={
        "circular": nn.CircularPad2d,
        "constant": nn.ConstantPad2d,
    },
)


def build_padding_layer(cfg: LayerConfig, *args: Any, **kwargs: Any) -> nn.Module:
    """Build a padding layer.

    Args:
        cfg: ``type`` is one of `PADDING_LAYERS`; ``dim`` the number of spatial dimensions (2 if
            it is not given); the other keys are arguments of the layer's constructor, such as
            the ``value`` of ``'constant'``.
        *args: More arguments of the constructor: first of all the padding.
        **kwargs: The same by name; ``dim`` too.

    Returns:
        The padding layer.

    Raises:
        TypeError: If `cfg` is no dict, or an argument does not fit or is given twice.
        KeyError: If `cfg` has no ``type``, or an unknown one.
        ValueError: If ``dim`` is not 1, 2 or 3.

    Example:
        >>> build_padding_layer(dict(type='reflect', dim=1), 2)
        ReflectionPad1d((2, 2))
    """
    factory, options = split(cfg, PADDING_LAYERS)
    factory = of_dimension(factory, kwargs if "dim" in kwargs else options)
    return construct(PADDING_LAYERS, factory, options, args, kwargs)
