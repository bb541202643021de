"""Convolution layers from configs."""

from typing import Any

from torch import nn

from ._build import build_layer, resolve_config
from ._conv2d_adaptive_padding import Conv2dAdaptivePadding
from ._conv_ws import ConvAWS2d, ConvWS2d
from ._registries import CONV_LAYERS, register_builtin
from ._typing import LayerConfig
from ._wrappers import Conv2d, Conv3d, ConvTranspose2d, ConvTranspose3d

register_builtin(
    CONV_LAYERS,
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
    defaults={
        "ConvTranspose1d": nn.ConvTranspose1d,
        "deconv1d": nn.ConvTranspose1d,
    },
)

_DEFAULT: LayerConfig = {"type": "Conv2d"}


def build_conv_layer(cfg: LayerConfig | None, *args: Any, **kwargs: Any) -> nn.Module:
    """Build a convolution layer.

    Args:
        cfg: ``type`` is a name in `CONV_LAYERS`; the other keys are arguments of the layer. None
            means ``dict(type='Conv2d')``.
        *args: Positional arguments of the layer: in_channels, out_channels, kernel_size, ...
        **kwargs: Keyword arguments of the layer.

    Returns:
        The layer.

    Raises:
        TypeError: If `cfg` is not a dict, or an argument is invalid or in both `cfg` and the call.
        KeyError: If `cfg` has no ``type``, or ``type`` is not registered.

    Example:
        >>> build_conv_layer(dict(type='Conv1d', stride=2), 8, 16, 3, bias=False)
        Conv1d(8, 16, kernel_size=(3,), stride=(2,), bias=False)
    """
    factory, arguments = resolve_config(_DEFAULT if cfg is None else cfg, CONV_LAYERS)
    return build_layer(CONV_LAYERS, factory, arguments, args, kwargs)
