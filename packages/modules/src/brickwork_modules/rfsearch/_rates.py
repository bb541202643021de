"""Dilation rates: the arithmetic of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Rate = tuple[int, int]


def expand_rates(dilation: Rate, config: Mapping[str, Any]) -> list[Rate]:
    """Choose rates around the present one to search among.

    Args:
        dilation: The present rate.
        config: ``num_branches`` (2, or 3 with the present one in the middle), ``exp_rate`` (how
            far from it, as a share), ``mmin`` and ``mmax`` (the least and the largest rate).

    Returns:
        The different rates, from small to large.
    """
    pairs = config["num_branches"] // 2
    small = _scaled(dilation, 1 - config["exp_rate"], config)
    large = _scaled(dilation, 1 + config["exp_rate"], config)
    middle = [dilation] if config["num_branches"] % 2 else []
    return list(dict.fromkeys([small] * pairs + middle + [large] * pairs))


def mean_rate(rates: Sequence[Rate], weights: Sequence[float], config: Mapping[str, Any]) -> Rate:
    """Average rates by the weights of their branches, and round.

    Args:
        rates: The rates searched among.
        weights: Their weights; the sum is divided by.
        config: ``mmin`` and ``mmax``.

    Returns:
        The rate for height and width.
    """
    total = sum(weights)
    height = sum(weight * rate[0] for rate, weight in zip(rates, weights, strict=True))
    width = sum(weight * rate[1] for rate, weight in zip(rates, weights, strict=True))
    return _clipped(height / total, config), _clipped(width / total, config)


def same_padding(kernel_size: int, stride: int = 1, dilation: int = 1) -> int:
    """Padding that keeps the size of the output whatever the dilation.

    Args:
        kernel_size: Size of the kernel.
        stride: Step of the window.
        dilation: Distance between the kernel's elements.

    Returns:
        The padding for each side.
    """
    return (stride - 1 + dilation * (kernel_size - 1)) // 2


def _scaled(dilation: Rate, factor: float, config: Mapping[str, Any]) -> Rate:
    return _clipped(factor * dilation[0], config), _clipped(factor * dilation[1], config)


def _clipped(rate: float, config: Mapping[str, Any]) -> int:
    return int(min(max(round(rate), config["mmin"]), config["mmax"]))
