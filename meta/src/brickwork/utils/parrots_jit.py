"""Decorators of a compiler that PyTorch does not have; they do nothing."""

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["jit", "skip_no_elena"]

F = TypeVar("F", bound=Callable[..., Any])


def jit(func: F | None = None, **options: Any) -> F | Callable[[F], F]:
    """Return the function unchanged, with or without options; `torch.compile` compiles."""
    return func if func is not None else lambda decorated: decorated


def skip_no_elena(func: F) -> F:
    """Return the function unchanged."""
    return func
