"""The bytes of a file as a server sends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Stream:
    """An open response to a request for a file.

    Attributes:
        read: Takes a maximum number of bytes; returns those that have arrived, waiting for at
            least one, and ``b""`` at the end.
        close: Closes the connection.
        start: Offset of the first byte in the file.
        total: Size of the whole file in bytes; None if unknown.
        validator: Identifies this version of the file, for ``If-Range``; None if unknown.
        sha256: SHA-256 of the file, if the server sends it.
    """

    read: Callable[[int], bytes]
    close: Callable[[], object]
    start: int = 0
    total: int | None = None
    validator: str | None = None
    sha256: str | None = None
