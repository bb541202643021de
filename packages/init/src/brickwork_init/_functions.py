"""Functions that fill the weight and the bias of one module, if it has them."""

from __future__ import annotations

from torch import nn

from ._fills import Distribution, FanMode, check_distribution, kaiming_, trunc_normal_, xavier_
from ._initializer import fill_module


def constant_init(module: nn.Module, val: float, bias: float = 0) -> None:
    """Fill a module's weight with a constant, and its bias with another.

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        val: Value of the weight.
        bias: Value of the bias.
    """
    fill_module(module, lambda weight: weight.fill_(val), bias)


def xavier_init(
    module: nn.Module, gain: float = 1, bias: float = 0, distribution: Distribution = "normal"
) -> None:
    """Fill a module's weight as `Glorot and Bengio <https://proceedings.mlr.press/v9/glorot10a>`_.

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        gain: Scale of the standard deviation.
        bias: Value of the bias.
        distribution: ``'normal'`` or ``'uniform'``.

    Raises:
        RuleError: If `distribution` is neither.
    """
    check_distribution(distribution)
    fill_module(module, lambda weight: xavier_(weight, gain, distribution), bias)


def normal_init(module: nn.Module, mean: float = 0, std: float = 1, bias: float = 0) -> None:
    """Fill a module's weight from a normal distribution.

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        mean: Mean of the weight.
        std: Standard deviation of the weight.
        bias: Value of the bias.
    """
    fill_module(module, lambda weight: weight.normal_(mean, std), bias)


def trunc_normal_init(
    module: nn.Module,
    mean: float = 0,
    std: float = 1,
    a: float = -2,
    b: float = 2,
    bias: float = 0,
) -> None:
    """Fill a module's weight from a normal distribution truncated to [a, b].

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        mean: Mean before truncation.
        std: Standard deviation before truncation.
        a: Minimum.
        b: Maximum.
        bias: Value of the bias.
    """
    fill_module(module, lambda weight: trunc_normal_(weight, mean, std, a, b), bias)


def uniform_init(module: nn.Module, a: float = 0, b: float = 1, bias: float = 0) -> None:
    """Fill a module's weight from a uniform distribution.

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        a: Lower bound.
        b: Upper bound.
        bias: Value of the bias.
    """
    fill_module(module, lambda weight: weight.uniform_(a, b), bias)


def kaiming_init(
    module: nn.Module,
    a: float = 0,
    mode: FanMode = "fan_out",
    nonlinearity: str = "relu",
    bias: float = 0,
    distribution: Distribution = "normal",
) -> None:
    """Fill a module's weight as `He et al. <https://arxiv.org/abs/1502.01852>`_.

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        a: Negative slope of the rectifier after the layer, for ``nonlinearity='leaky_relu'``.
        mode: ``'fan_in'`` preserves the variance of activations, ``'fan_out'`` that of gradients.
        nonlinearity: Activation after the layer, by its name in `torch.nn.functional`.
        bias: Value of the bias.
        distribution: ``'normal'`` or ``'uniform'``.

    Raises:
        RuleError: If `distribution` is neither.
    """
    check_distribution(distribution)
    fill_module(module, lambda weight: kaiming_(weight, a, mode, nonlinearity, distribution), bias)


def caffe2_xavier_init(module: nn.Module, bias: float = 0) -> None:
    """Fill a module's weight as Caffe2's ``XavierFill`` does: ``U(-sqrt(3 / fan_in), ...)``.

    Args:
        module: Module with a ``weight`` and perhaps a ``bias``.
        bias: Value of the bias.
    """
    kaiming_init(
        module,
        a=1,
        mode="fan_in",
        nonlinearity="leaky_relu",
        bias=bias,
        distribution="uniform",
    )
