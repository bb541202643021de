"""Rounding of scaled channel counts."""

from __future__ import annotations


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to the nearest multiple of ``divisor``, but not down by more than 10 %.

    The rule by which the mobile networks scale their widths.

    Args:
        channels: Desired number of channels.
        divisor: Divisor of the result.

    Returns:
        The number of channels.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
