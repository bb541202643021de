"""Representations of pickled objects and global names that are not imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class BrokenPickleError(ValueError):
    """A pickle that is truncated, damaged, or uses instructions that are not supported."""


@dataclass(eq=False)
class OpaqueObject:
    """A pickled object whose class is not imported, kept as data.

    Saving and loading it again gives an equal opaque object.

    Attributes:
        type_name: Full name of the class, or of the function that would construct the object.
        args: Arguments for that class or function.
        state: Pickled state of the object (the argument of ``__setstate__``).
        items: Items of a list or set, or key-value pairs of a mapping.
    """

    __module__ = "brickwork_zoo"  # pickles refer to the class by this public name

    type_name: str
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        return OpaqueObject, (self.type_name, self.args, self.state, self.items)

    def __repr__(self) -> str:
        return f"<opaque {self.type_name}>"


@dataclass(frozen=True, eq=False)
class PickledGlobal:
    """A global name that a pickle refers to, and a safe replacement for calling it.

    Attributes:
        full_name: Module and qualified name.
        call: Function to call instead of the global; its arguments are plain data.
    """

    full_name: str
    call: Callable[..., Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return OpaqueObject, (self.full_name,)

    def __repr__(self) -> str:
        return f"<global {self.full_name}>"


def checked_key(key: Any) -> Any:
    """Return a key; raise if it is a tuple of tuples, whose hash can take exponential time."""
    if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
        raise BrokenPickleError("a dict key or set member is a tuple of tuples")
    return key
