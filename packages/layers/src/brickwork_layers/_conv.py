"""Convolutions from configs."""

from typing import Any

from torch import nn

from ._build import construct, split
from ._conv2d_adaptive_padding import Conv2dAdaptivePadding
from ._conv_ws import ConvAWS2d, ConvWS2d
from ._registries import CONV_LAYERS
from ._typing import LayerConfig
from ._wrappers import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

CONV_LAYERS.register_builtin(
    {
        "Conv1d": nn.Conv1d,
        "Conv2d": nn.Conv2d,
        "Conv3d": Conv3d,
        "Conv": Conv2d,
        "ConvWS": ConvWS2d,
        "ConvAWS": ConvAWS2d,
        "Conv2dAdaptivePadding": Conv2dAdaptivePadding,
        "ConvTranspose2d": ConvTranspose2d,
        "deconv": ConvTranspose2d,
        "ConvTranspose3d": ConvTranspose3d,
        "deconv3d": ConvTranspose3d,
    },
    overridable={
        "ConvTranspose1d": nn.ConvTranspose1d,
        "deconv1d": nn.ConvTranspose1d,
    },
)

_DEFAULT: LayerConfig = {"type": "Conv2d"}


def build_conv_layer(cfg: LayerConfig | None, *args: Any, **kwargs: Any) -> nn.Module:
    """Build a convolution.

    Args:
        cfg: ``type`` is one of `CONV_LAYERS`; the other keys are arguments of its constructor.
            None stands for ``dict(type='Conv2d')``.
        *args: More arguments of the constructor: first of all in_channels, out_channels and
            kernel_size.
        **kwargs: The same by name.

    Returns:
        The convolution.

    Raises:
        TypeError: If `cfg` is no dict, or an argument does not fit or is given twice.
        KeyError: If `cfg` has no ``type``, or an unknown one.

    Example:
        >>> build_conv_layer(dict(type='Conv1d', stride=2), 8, 16, 3, bias=False)
        Conv1d(8, 16, kernel_size=(3,), stride=(2,), bias=False)
    """
    factory, options = split(_DEFAULT if cfg is None else cfg, CONV_LAYERS)
    return construct(CONV_LAYERS, factory, options, args, kwargs)
