"""Decorators of a compiler that never came to PyTorch; here they do nothing."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["jit", "skip_no_elena"]

F = TypeVar("F", bound=Callable[..., Any])


def jit(func: F | None = None, **options: Any) -> F | Callable[[F], F]:
    """Return the function as it is, with or without options; see `torch.compile` for a compiler."""
    return func if func is not None else lambda decorated: decorated


def skip_no_elena(func: F) -> F:
    """Return the function as it is."""
    return func
