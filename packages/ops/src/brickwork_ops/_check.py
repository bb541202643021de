"""Validation of the arguments of operators."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .errors import OperatorInputError


def pair(operator: str, name: str, size: int | Sequence[int]) -> tuple[int, int]:
    """Return a size as (height, width).

    Args:
        operator: Name of the operator, for the error.
        name: Name of the argument, for the error.
        size: One number or two.

    Raises:
        OperatorInputError: If `size` is neither.
    """
    if isinstance(size, int | torch.SymInt):
        return size, size
    if len(size) == 2:
        return size[0], size[1]
    if len(size) == 1:  # nn.Conv2d's own form of a number
        return size[0], size[0]
    raise OperatorInputError(operator, f"{name} must be one or two numbers, got {size!r}")


def check(condition: bool, operator: str, problem: str) -> None:
    """Raise an error unless a condition holds.

    Raises:
        OperatorInputError: If it does not.
    """
    if not condition:
        raise OperatorInputError(operator, problem)


def shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of a tensor as a plain tuple, for messages."""
    return tuple(tensor.shape)


def values_are_readable(tensor: Tensor) -> bool:
    """Whether Python may read the values of a tensor.

    Reading them would break the graph under `torch.compile`, and a meta tensor has none.
    """
    return not (torch.compiler.is_compiling() or tensor.is_meta)
