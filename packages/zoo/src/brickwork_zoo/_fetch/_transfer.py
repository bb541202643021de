"""Bytes from a stream into a partial file, hashed in a second thread on the way."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Queue
from threading import Thread

from brickwork_zoo.errors import CacheError

from ._partial import Partial
from ._progress import Progress
from ._stream import RefusedError, Stream, TransientError

# Bytes at once, at most: each round goes through Python, and blocks of a megabyte are mapped and
# unmapped each by the allocator, which takes half as long again as all the rest.
_BLOCK = 1 << 19
_QUEUED = 16  # blocks that wait to be hashed: 8 MiB at most
_PAGE_SIGNS = (b"<!doctype html", b"<html", b"<head", b"<body")


class Hasher(AbstractContextManager["Hasher"]):
    """SHA-256 in a thread of its own; hashlib lets go of the interpreter while it works."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._blocks: Queue[bytes | None] = Queue(_QUEUED)
        self._thread = Thread(target=self._work, name="brickwork-sha256", daemon=True)
        self._thread.start()

    def add(self, block: bytes) -> None:
        """Hash a block after those before it."""
        self._blocks.put(block)

    def digest(self) -> str:
        """Return the hash of all the blocks; none can follow."""
        self.__exit__()
        return self._hash.hexdigest()

    def _work(self) -> None:
        while (block := self._blocks.get()) is not None:
            self._hash.update(block)

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._blocks.put(None)
            self._thread.join()


def hash_file(path: Path) -> str:
    """Return a file's SHA-256.

    Raises:
        CacheError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CacheError(f"cannot read {path}: {error}", uri=str(path), path=path) from error


def copy_start(source: Path, size: int, partial: Partial, hasher: Hasher) -> None:
    """Copy the first ``size`` bytes of what an earlier attempt left, and hash them."""
    with source.open("rb") as file:
        while partial.size < size:
            block = file.read(min(_BLOCK, size - partial.size))
            if not block:
                raise TransientError(f"{source} has shrunk while it was read")
            hasher.add(block)
            partial.append(block)


def receive(
    stream: Stream, partial: Partial, hasher: Hasher, progress: Progress, *, page: bool = False
) -> None:
    """Write all that a stream has left.

    Args:
        stream: Where from.
        partial: Where to.
        hasher: Is given every byte too.
        progress: Is told of every block.
        page: Whether the file may be an HTML page.

    Raises:
        TransientError: If the stream ends early.
        RefusedError: If what comes is an HTML page, or longer than was said.
    """
    while block := stream.read(_BLOCK):
        if partial.size == 0 and not page and _is_page(block):
            raise RefusedError("it sent an HTML page instead of the file")
        hasher.add(block)
        partial.append(block)
        progress.add(len(block))
    if stream.total is not None and partial.size != stream.total:
        kind = TransientError if partial.size < stream.total else RefusedError
        raise kind(f"it sent {partial.size} of {stream.total} bytes")


def _is_page(block: bytes) -> bool:
    start = block[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(_PAGE_SIGNS)
