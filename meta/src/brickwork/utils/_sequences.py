"""Checks, casts and slices of sequences."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def is_str(x: object) -> bool:
    """Return whether `x` is a string."""
    return isinstance(x, str)


def is_seq_of(
    seq: object, expected_type: type | tuple[type, ...], seq_type: type | None = None
) -> bool:
    """Return whether `seq` is a sequence whose items all have a type.

    Args:
        seq: Object to check.
        expected_type: Type of the items, or several.
        seq_type: Type of the sequence; any sequence by default.
    """
    return isinstance(seq, seq_type or Sequence) and all(
        isinstance(item, expected_type)
        for item in seq  # type: ignore[attr-defined]  # a sequence
    )


def is_list_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Return whether `seq` is a list whose items all have a type."""
    return is_seq_of(seq, expected_type, seq_type=list)


def is_tuple_of(seq: object, expected_type: type | tuple[type, ...]) -> bool:
    """Return whether `seq` is a tuple whose items all have a type."""
    return is_seq_of(seq, expected_type, seq_type=tuple)


def iter_cast(
    inputs: Iterable[Any],
    dst_type: Callable[[Any], T],
    return_type: Callable[[Iterable[T]], Any] | None = None,
) -> Any:
    """Cast each item of an iterable.

    Args:
        inputs: The items.
        dst_type: Type to cast them to.
        return_type: Type of the result; an iterator by default.

    Raises:
        TypeError: If `inputs` is not iterable or `dst_type` is not a type.
    """
    if not isinstance(inputs, Iterable):
        raise TypeError(f"inputs must be iterable, got {inputs!r}")
    if not isinstance(dst_type, type):
        raise TypeError(f"dst_type must be a type, got {dst_type!r}")
    items = map(dst_type, inputs)
    return items if return_type is None else return_type(items)


def list_cast(inputs: Iterable[Any], dst_type: type[T]) -> list[T]:
    """Cast each item of an iterable and return a list."""
    return list(iter_cast(inputs, dst_type))


def tuple_cast(inputs: Iterable[Any], dst_type: type[T]) -> tuple[T, ...]:
    """Cast each item of an iterable and return a tuple."""
    return tuple(iter_cast(inputs, dst_type))


def slice_list(in_list: list[T], lens: int | list[int]) -> list[list[T]]:
    """Split a list into parts.

    Args:
        in_list: The list.
        lens: Length of each part, or one length for all that divides the list's length.

    Raises:
        TypeError: If `lens` is neither an int nor a list.
        ValueError: If the parts do not add up to the list.
    """
    if isinstance(lens, int):
        if lens < 1 or len(in_list) % lens:
            raise ValueError(f"lens must divide the list's length {len(in_list)}, got {lens}")
        lens = [lens] * (len(in_list) // lens)
    if not isinstance(lens, list):
        raise TypeError(f"lens must be an int or a list of ints, got {lens!r}")
    if sum(lens) != len(in_list):
        raise ValueError(f"lens must sum to the list's length {len(in_list)}, got {lens}")
    items = iter(in_list)
    return [list(itertools.islice(items, length)) for length in lens]


def concat_list(in_list: Iterable[Iterable[T]]) -> list[T]:
    """Concatenate lists."""
    return list(itertools.chain.from_iterable(in_list))
