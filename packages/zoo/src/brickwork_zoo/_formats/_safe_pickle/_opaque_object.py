"""What pickles are read into where they hold more than plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class BrokenPickleError(ValueError):
    """A pickle that cannot be read: cut off, garbled, or with instructions that no data needs."""


@dataclass(eq=False)
class Inert:
    """An object of a type that is not loaded, as the data that it was made of.

    What is saved with it loads again, as this.

    Attributes:
        type_name: The full name of its class or of the function that would have made it.
        args: What that would have been called with.
        state: What it would have been filled with.
        items: The items of a list or set, or the pairs of a mapping.
    """

    __module__ = "brickwork_zoo"  # where files that it is saved to will look for it

    type_name: str
    args: tuple[Any, ...] = ()
    state: Any = None
    items: list[Any] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        return Inert, (self.type_name, self.args, self.state, self.items)

    def __repr__(self) -> str:
        return f"<inert {self.type_name}>"


@dataclass(frozen=True, eq=False)
class Name:
    """A name that a pickle mentions, and what stands for it.

    Attributes:
        full: Module and qualified name.
        make: Called, with checked data only, where the file wants the name called.
    """

    full: str
    make: Callable[..., Any]

    def __reduce__(self) -> tuple[Any, ...]:
        return Inert, (self.full,)

    def __repr__(self) -> str:
        return f"<name {self.full}>"


def checked_key(key: Any) -> Any:
    """What may be hashed: tuples within tuples, shared often enough, would never come to an end."""
    if isinstance(key, tuple) and any(isinstance(part, tuple) for part in key):
        raise BrokenPickleError("a key of nested tuples")
    return key
