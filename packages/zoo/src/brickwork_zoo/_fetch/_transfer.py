"""Copying from a stream to a partial file, with the hash computed in a second thread."""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Queue
from threading import Thread

from brickwork_zoo.errors import CacheError

from ._attempt_errors import RefusedError, TransientError
from ._partial import PartialFile
from ._progress import Progress
from ._stream import Stream

# Maximum bytes of a block. Smaller blocks cost more Python; for blocks of a megabyte the allocator
# maps and unmaps memory each time, which takes half as long again as all the rest.
_BLOCK = 1 << 19
_QUEUED = 16  # blocks waiting to be hashed: at most 8 MiB
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body")


class Hasher(AbstractContextManager["Hasher"]):
    """SHA-256 in a thread of its own; hashlib releases the interpreter lock while it works."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._blocks: Queue[bytes | None] = Queue(_QUEUED)
        self._thread = Thread(target=self._work, name="brickwork-sha256", daemon=True)
        self._thread.start()

    def add(self, block: bytes) -> None:
        """Hash the next block."""
        self._blocks.put(block)

    def digest(self) -> str:
        """Return the hash of all blocks; none can be added afterwards."""
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
        CacheError: If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CacheError(f"cannot read {path}: {error}", uri=str(path), path=path) from error


def copy_start(source: Path, size: int, partial: PartialFile, hasher: Hasher) -> None:
    """Copy and hash the first `size` bytes of the partial file of an earlier attempt."""
    with source.open("rb") as file:
        while partial.size < size:
            block = file.read(min(_BLOCK, size - partial.size))
            if not block:
                raise TransientError(f"partial file {source} became shorter while it was read")
            hasher.add(block)
            partial.append(block)


def receive(
    stream: Stream,
    partial: PartialFile,
    hasher: Hasher,
    progress: Progress,
    *,
    allow_html: bool = False,
) -> None:
    """Copy the rest of a stream to a partial file, while hashing and counting it.

    Raises:
        TransientError: If the stream ends early.
        RefusedError: If the stream is longer than announced, or an HTML page without `allow_html`.
    """
    while block := stream.read(_BLOCK):
        if partial.size == 0 and not allow_html and _is_html(block):
            raise RefusedError("the server sent an HTML page instead of the file")
        hasher.add(block)
        partial.append(block)
        progress.add(len(block))
    if stream.total is not None and partial.size != stream.total:
        kind = TransientError if partial.size < stream.total else RefusedError
        raise kind(f"the server sent {partial.size} of {stream.total} bytes")


def _is_html(block: bytes) -> bool:
    start = block[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(_HTML_STARTS)
