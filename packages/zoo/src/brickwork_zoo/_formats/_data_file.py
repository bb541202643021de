"""An open file that is read at any position."""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from brickwork_zoo.errors import CheckpointError

_SHARED_POSITION = not hasattr(os, "preadv")  # Windows


class DataFile:
    """A file that stays open, so that its header and its data come from the same version.

    Replacing the file on disk does not affect an open one. Threads and forked processes may read
    at the same time.

    Args:
        path: The file.

    Attributes:
        path: The file.
        size: Size in bytes when the file was opened.

    Raises:
        CheckpointError: If the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise CheckpointError(f"cannot read {path}: {error}", path=path) from error
        weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size

    def read_into(self, buffer: memoryview, start: int) -> None:
        """Fill a buffer with the bytes that begin at offset `start`."""
        done = 0
        while done < len(buffer):
            try:
                count = self._read_some(buffer[done:], start + done)
            except OSError as error:
                raise CheckpointError(
                    f"cannot read {self.path}: {error}", path=self.path
                ) from error
            if not count:
                raise CheckpointError(
                    f"{self.path} ends at byte {start + done}, expected {len(buffer) - done} more: "
                    "it was changed while it was read",
                    path=self.path,
                )
            done += count

    def _read_some(self, buffer: memoryview, start: int) -> int:
        if _SHARED_POSITION:
            os.lseek(self._descriptor, start, os.SEEK_SET)
            data = os.read(self._descriptor, min(len(buffer), 2**20))
            buffer[: len(data)] = data
            return len(data)
        return os.preadv(self._descriptor, [buffer], start)


def damaged(file: DataFile, problem: object) -> CheckpointError:
    """Return the error for a truncated or inconsistent file."""
    return CheckpointError(
        f"{file.path} is truncated or damaged: {problem}; download or copy it again",
        path=file.path,
    )
