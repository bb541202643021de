"""Padding layers from configs."""

from typing import Any

from torch import nn

from ._build import build_layer, resolve_config
from ._dimension import of_dimension
from ._registries import PADDING_LAYERS, register_builtin
from ._typing import LayerConfig

register_builtin(
    PADDING_LAYERS,
    {
        "zero": nn.ZeroPad2d,
        "reflect": nn.ReflectionPad2d,
        "replicate": nn.ReplicationPad2d,
    },
    defaults={
        "circular": nn.CircularPad2d,
        "constant": nn.ConstantPad2d,
    },
)


def build_padding_layer(cfg: LayerConfig, *args: Any, **kwargs: Any) -> nn.Module:
    """Build a padding layer.

    Args:
        cfg: ``type`` is a name in `PADDING_LAYERS`; ``dim`` is the number of spatial dimensions,
            2 by default; the other keys are arguments of the layer, such as the ``value`` of
            ``'constant'``.
        *args: Positional arguments of the layer, first the padding.
        **kwargs: Keyword arguments of the layer, and ``dim``.

    Returns:
        The layer.

    Raises:
        ValueError: If ``dim`` is not 1, 2 or 3; also the errors of `build_conv_layer`.

    Example:
        >>> build_padding_layer(dict(type='reflect', dim=1), 2)
        ReflectionPad1d((2, 2))
    """
    factory, arguments = resolve_config(cfg, PADDING_LAYERS)
    factory = of_dimension(factory, kwargs if "dim" in kwargs else arguments)
    return build_layer(PADDING_LAYERS, factory, arguments, args, kwargs)
