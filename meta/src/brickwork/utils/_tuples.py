"""Tuples of a fixed length from single values."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any


def to_ntuple(n: int) -> Callable[[Any], Any]:
    """Return a function that repeats a single value `n` times and returns iterables unchanged."""

    def to_tuple(x: Any) -> Any:
        return x if isinstance(x, Iterable) else tuple(repeat(x, n))

    to_tuple.__name__ = to_tuple.__qualname__ = f"to_{n}tuple"
    to_tuple.__doc__ = f"Return an iterable unchanged, anything else repeated in a tuple of {n}."
    return to_tuple


to_1tuple, to_2tuple, to_3tuple, to_4tuple = map(to_ntuple, range(1, 5))
