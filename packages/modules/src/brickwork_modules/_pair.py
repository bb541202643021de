"""Sizes in two dimensions."""

from ._typing import Size2d


def pair(size: Size2d) -> tuple[int, int]:
    """Return `size` as (height, width)."""
    if isinstance(size, int):
        return size, size
    height, width = size
    return height, width
