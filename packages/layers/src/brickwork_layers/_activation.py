"""Activations from configs."""

from torch import nn

from ._build import construct, split, takes
from ._clamp import Clamp
from ._hard import HSigmoid
from ._registries import ACTIVATION_LAYERS
from ._swish import Swish
from ._typing import LayerConfig

ACTIVATION_LAYERS.register_builtin(
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
    overridable={
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
    """Build an activation.

    Args:
        cfg: ``type`` is one of `ACTIVATION_LAYERS`; the other keys are arguments of its
            constructor.
        inplace: Whether to overwrite the input. It counts where the activation can and `cfg` does
            not say.

    Returns:
        The activation.

    Raises:
        TypeError: If `cfg` is no dict, or an argument does not fit.
        KeyError: If `cfg` has no ``type``, or an unknown one.

    Example:
        >>> build_activation_layer(dict(type='LeakyReLU', negative_slope=0.1), inplace=True)
        LeakyReLU(negative_slope=0.1, inplace=True)
        >>> build_activation_layer(dict(type='GELU'), inplace=True)  # it cannot
        GELU(approximate='none')
    """
    factory, options = split(cfg, ACTIVATION_LAYERS)
    if inplace is not None and takes(factory, "inplace"):
        options.setdefault("inplace", inplace)
    return construct(ACTIVATION_LAYERS, factory, options)
