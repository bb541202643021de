"""Best-effort lock: one process downloads while others wait. Correctness does not depend on it.

Locks may do nothing, fail, or outlive their holder, above all on network file systems. A process
that cannot get the lock, and sees no progress in the folder, continues without it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

FILENAME = ".lock"
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.25  # seconds between two attempts


@contextmanager
def best_effort_lock(
    folder: Path, *, patience: float, done: Callable[[], bool]
) -> Iterator[Callable[[], None]]:
    """Hold a folder's lock if possible.

    Args:
        folder: Folder to lock.
        patience: Seconds without any change in the folder after which to continue without the
            lock.
        done: Returns whether the holder has finished its work, so that waiting can end.

    Yields:
        A function for the holder to call now and then while nothing else changes in the folder,
        to show waiting processes that it is alive.
    """
    path = folder / FILENAME
    lock: BaseFileLock | None = None
    wait, seen, since = _FIRST_WAIT, _contents(folder), time.monotonic()
    while not done():
        try:
            lock = lock or FileLock(path)
            lock.acquire(timeout=0)
            break
        except Timeout:
            pass
        except Exception:  # the file system cannot lock
            break
        contents = _contents(folder)
        if contents != seen:
            seen, since = contents, time.monotonic()
        elif time.monotonic() - since > patience:
            break
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)

    def show_alive() -> None:
        with suppress(OSError):
            os.utime(path)

    try:
        show_alive()
        yield show_alive
    finally:
        if lock is not None:
            with suppress(Exception):  # the file system cannot lock
                lock.release()


def _contents(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Return the names, sizes and times of a folder's files, which change while one downloads."""
    contents = set()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                stat = entry.stat()
                contents.add((entry.name, stat.st_size, stat.st_mtime_ns))
    return frozenset(contents)
