"""What a place answers: bytes, or one of the ways in which it did not give them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """A file that a place is sending.

    Attributes:
        read: Takes a number of bytes; returns at most so many, as soon as there are any, and none
            at the end.
        close: Lets go of the connection.
        start: Where in the file the first byte lies.
        total: The whole file's bytes; None where the place does not say.
        validator: What tells this version of the file from others, fit for If-Range.
        sha256: The file's hash, where the place says it.
    """

    read: Callable[[int], bytes]
    close: Callable[[], object]
    start: int = 0
    total: int | None = None
    validator: str | None = None
    sha256: str | None = None


_LONGEST_REASON = 300  # characters


class PlaceError(Exception):
    """A place did not give the file.

    Args:
        reason: Why; what a server says is cut short, and shown without control characters.
        status: The HTTP status, where there was an answer.
        wait: How many seconds the place asked to be left alone.
    """

    def __init__(self, reason: str, *, status: int | None = None, wait: float | None = None):
        super().__init__(reason)
        self.reason = _brief(reason)
        self.status = status
        self.wait = wait


class TransientError(PlaceError):
    """It may, if it is asked again: a cut connection, a stall, a server too busy."""


class UnreachableError(PlaceError):
    """It could not be reached at all: another place is asked first."""


class RefusedError(PlaceError):
    """Asking again would not help."""


class UntrustedError(RefusedError):
    """It could not prove that it is the host that it should be."""


class WrongHashError(RefusedError):
    """It gave another file."""

    def __init__(self, reason: str, *, expected: str, actual: str):
        super().__init__(reason)
        self.expected = expected
        self.actual = actual


class RestartError(PlaceError):
    """What is there of the file does not go with what the place has now: begin at the beginning."""


def _brief(text: str) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:_LONGEST_REASON])
    return shown + ("..." if len(text) > _LONGEST_REASON else "")
