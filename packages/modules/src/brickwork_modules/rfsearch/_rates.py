"""Arithmetic of dilation rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Rate = tuple[int, int]


def expand_rates(dilation: Rate, config: Mapping[str, Any]) -> list[Rate]:
    """Return distinct rates around the current one, in ascending order.

    `config` has ``num_branches`` (2, or 3 with the current rate in the middle), ``exp_rate``
    (relative distance from it), ``mmin`` and ``mmax`` (bounds of the rates).
    """
    pairs = config["num_branches"] // 2
    small = _scaled(dilation, 1 - config["exp_rate"], config)
    large = _scaled(dilation, 1 + config["exp_rate"], config)
    middle = [dilation] if config["num_branches"] % 2 else []
    return list(dict.fromkeys([small] * pairs + middle + [large] * pairs))


def mean_rate(rates: Sequence[Rate], weights: Sequence[float], config: Mapping[str, Any]) -> Rate:
    """Return the weighted mean of rates, rounded and within ``mmin`` and ``mmax``."""
    total = sum(weights)
    height = sum(weight * rate[0] for rate, weight in zip(rates, weights, strict=True))
    width = sum(weight * rate[1] for rate, weight in zip(rates, weights, strict=True))
    return _clipped(height / total, config), _clipped(width / total, config)


def same_padding(kernel_size: int, stride: int = 1, dilation: int = 1) -> int:
    """Return the padding that preserves the size of the output for any dilation."""
    return (stride - 1 + dilation * (kernel_size - 1)) // 2


def _scaled(dilation: Rate, factor: float, config: Mapping[str, Any]) -> Rate:
    return _clipped(factor * dilation[0], config), _clipped(factor * dilation[1], config)


def _clipped(rate: float, config: Mapping[str, Any]) -> int:
    return int(min(max(round(rate), config["mmin"]), config["mmax"]))
