"""Streams over an open file."""

from __future__ import annotations

import io
import os

from ._data_file import DataFile


class FileWindow(io.RawIOBase):
    """A stream over ``length`` bytes of a file from ``start``; by default the whole file."""

    def __init__(self, file: DataFile, start: int = 0, length: int | None = None) -> None:
        self._file, self._start = file, start
        self._length = file.size - start if length is None else length
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position within the window."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        if base + offset < 0:
            raise ValueError(f"cannot seek to byte {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed: any buffer
        """Fill a buffer as far as bytes are left, and return their number."""
        count = max(0, min(len(buffer), self._length - self._position))
        self._file.read_into(memoryview(buffer)[:count], self._start + self._position)
        self._position += count
        return count


def open_stream(file: DataFile) -> io.BufferedReader:
    """Return a buffered stream over a file."""
    return io.BufferedReader(FileWindow(file))
