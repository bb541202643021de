"""What objects in a pickle become when they are more than plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class BrokenPickleError(ValueError):
    """A pickle that is truncated, damaged, or has instructions that data does not need."""


@dataclass(eq=False)
class OpaqueObject:
    """An object of a type that is not loaded, as the data that it was made of.

    It can be saved, and loads again as the same.

    Attributes:
        type_name: Full name of its class, or of the function that would have made it.
        args: Arguments that this would have been called with.
        state: State that the object would have been given.
        items: Items of a list or set, or pairs of a mapping.
    """

    __module__ = "brickwork_zoo"  # the name under which files refer to it

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
    """A name that a pickle mentions, and the function that is called in place of its object.

    Attributes:
        full_name: Module and qualified name.
        call: Called, with data only, where the pickle calls the name.
    """

    full_name: str
    call: Callable[..., Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return OpaqueObject, (self.full_name,)

    def __repr__(self) -> str:
        return f"<global {self.full_name}>"


def checked_key(key: Any) -> Any:
    """Return a key, unless hashing it could take forever: tuples within tuples, shared often."""
    if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
        raise BrokenPickleError("a key of nested tuples")
    return key
