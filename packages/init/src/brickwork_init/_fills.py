"""Fills of one tensor that torch lacks, or draws in another order than mmcv 1.7.2.

Every other fill is a function of `torch.nn.init`. All are called under ``torch.no_grad()``.
"""

from __future__ import annotations

import math
import warnings
from typing import Literal

import torch
from torch import Tensor, nn

from .errors import RuleError

Distribution = Literal["normal", "uniform"]
FanMode = Literal["fan_in", "fan_out"]


def check_distribution(distribution: str) -> None:
    """Raise if a distribution is neither ``'normal'`` nor ``'uniform'``."""
    if distribution not in ("normal", "uniform"):
        raise RuleError(
            f"distribution must be 'normal' or 'uniform', got {distribution!r}", distribution
        )


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return fan-in and fan-out of a weight.

    Raises:
        RuleError: If the tensor has fewer than two dimensions (a `ValueError`).
    """
    if tensor.dim() < 2:
        raise RuleError(
            "fan-in and fan-out need a weight of at least 2 dimensions, got shape "
            f"{tuple(tensor.shape)}; select other layers"
        )
    outputs, inputs, *kernel = tensor.shape
    field = math.prod(kernel)
    return inputs * field, outputs * field


def _spread_(tensor: Tensor, std: float, distribution: str) -> Tensor:
    """Draw values of mean zero and the given standard deviation."""
    if distribution == "uniform":
        bound = math.sqrt(3.0) * std
        return tensor.uniform_(-bound, bound)
    return tensor.normal_(0, std)


def xavier_(tensor: Tensor, gain: float, distribution: str) -> Tensor:
    """Fill by `Glorot and Bengio (2010) <https://proceedings.mlr.press/v9/glorot10a.html>`_.

    Variance ``2 gain^2 / (fan_in + fan_out)``.
    """
    std = gain * math.sqrt(2.0 / float(sum(fans(tensor))))
    return _spread_(tensor, std, distribution)


def kaiming_(tensor: Tensor, a: float, mode: str, nonlinearity: str, distribution: str) -> Tensor:
    """Fill by `He et al. (2015) <https://arxiv.org/abs/1502.01852>`_.

    Variance ``gain^2 / fan``. The same draws as `torch.nn.init.kaiming_normal_`, which takes twice
    as long for a small layer.
    """
    if mode not in ("fan_in", "fan_out"):
        raise RuleError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}", mode)
    if not tensor.numel():
        return tensor
    fan_in, fan_out = fans(tensor)
    gain = nn.init.calculate_gain(nonlinearity, a)  # type: ignore[arg-type]  # any str, checked there
    std = gain / math.sqrt(fan_in if mode == "fan_in" else fan_out)
    return _spread_(tensor, std, distribution)


@torch.no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Fill a tensor from a normal distribution truncated to [a, b], by one draw per element.

    A uniform draw goes through the inverse of the normal distribution's cumulative function.
    Recent releases of `torch.nn.init.trunc_normal_` reject and draw again instead, so the values
    under one seed differ between releases of torch.

    Args:
        tensor: Tensor of any shape.
        mean: Mean of the normal distribution before truncation.
        std: Standard deviation before truncation.
        a: Minimum.
        b: Maximum.

    Returns:
        `tensor`.
    """

    def cdf(x: float) -> float:
        return (1.0 + math.erf(x / math.sqrt(2.0))) / 2.0

    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            f"mean={mean} is more than two std={std} outside [{a}, {b}]: "
            "the values of trunc_normal_ may be distributed wrongly",
            stacklevel=2,
        )
    low, high = cdf((a - mean) / std), cdf((b - mean) / std)
    tensor.uniform_(2 * low - 1, 2 * high - 1)
    return tensor.erfinv_().mul_(std * math.sqrt(2.0)).add_(mean).clamp_(min=a, max=b)
