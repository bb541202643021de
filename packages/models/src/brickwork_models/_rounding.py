"""Rounding of scaled widths."""

from __future__ import annotations


def make_divisible(channels: float, divisor: int = 8) -> int:
    """Round to a multiple of ``divisor``, but never down by more than a tenth.

    The rule of the mobile networks for scaled widths.

    Args:
        channels: The width wanted.
        divisor: What the width must be a multiple of.

    Returns:
        The width.
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded
