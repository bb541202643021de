"""Activation layers from configs."""

from torch import nn

from ._build import accepts, build_layer, resolve_config
from ._clamp import Clamp
from ._hard import HSigmoid
from ._registries import ACTIVATION_LAYERS, register_builtin
from ._swish import Swish
from ._typing import LayerConfig

register_builtin(
    ACTIVATION_LAYERS,
    {
        "ReLU": nn.ReLU,
        "LeakyReLU": nn.LeakyReLU,
        "PReLU": nn.PReLU,
        "RReLU": nn.RReLU,
        "ReLU6": nn.ReLU6,
        "ELU": nn.ELU,
        "Sigmoid": nn.Sigmoid,
        "Tanh": nn.Tanh,
        "SiLU": nn.SiLU,
        "GELU": nn.GELU,
        "Clamp": Clamp,
        "Clip": Clamp,
        "HSigmoid": HSigmoid,
        "HSwish": nn.Hardswish,
        "Swish": Swish,
    },
    defaults={
        "CELU": nn.CELU,
        "GLU": nn.GLU,
        "Hardshrink": nn.Hardshrink,
        "Hardsigmoid": nn.Hardsigmoid,
        "Hardswish": nn.Hardswish,
        "Hardtanh": nn.Hardtanh,
        "LogSigmoid": nn.LogSigmoid,
        "LogSoftmax": nn.LogSoftmax,
        "Mish": nn.Mish,
        "SELU": nn.SELU,
        "Softmax": nn.Softmax,
        "Softmax2d": nn.Softmax2d,
        "Softmin": nn.Softmin,
        "Softplus": nn.Softplus,
        "Softshrink": nn.Softshrink,
        "Softsign": nn.Softsign,
        "Tanhshrink": nn.Tanhshrink,
        "Threshold": nn.Threshold,
    },
)


def build_activation_layer(cfg: LayerConfig, *, inplace: bool | None = None) -> nn.Module:
    """Build an activation layer.

    Args:
        cfg: ``type`` is a name in `ACTIVATION_LAYERS`; the other keys are arguments of the layer.
        inplace: Whether to overwrite the input, for layers that have this argument; the config
            has precedence.

    Returns:
        The layer.

    Raises:
        TypeError: If `cfg` is not a dict, or an argument is invalid.
        KeyError: If `cfg` has no ``type``, or ``type`` is not registered.

    Example:
        >>> build_activation_layer(dict(type='LeakyReLU', negative_slope=0.1), inplace=True)
        LeakyReLU(negative_slope=0.1, inplace=True)
        >>> build_activation_layer(dict(type='GELU'), inplace=True)  # has no such argument
        GELU(approximate='none')
    """
    factory, arguments = resolve_config(cfg, ACTIVATION_LAYERS)
    if inplace is not None and accepts(factory, "inplace"):
        arguments.setdefault("inplace", inplace)
    return build_layer(ACTIVATION_LAYERS, factory, arguments)
