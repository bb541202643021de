"""A lock that saves work and never costs any.

Locks may do nothing, fail, or outlive their holder, above all on network file systems. What is
correct here is so without them: whoever cannot have the lock, and sees nobody making progress,
goes on without it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

NAME = ".lock"
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.25  # seconds between two looks


@contextmanager
def attempted(
    folder: Path, *, patience: float, done: Callable[[], bool]
) -> Iterator[Callable[[], None]]:
    """Hold a folder's lock if it can be had.

    Args:
        folder: What the lock is about.
        patience: Seconds without any change in the folder after which the holder is given up.
        done: Whether what the holder makes is there, so that nobody need wait any longer.

    Yields:
        A function to call now and then while nothing else changes in the folder, to tell the
        waiters that the holder is alive.
    """
    path = folder / NAME
    lock: BaseFileLock | None = None
    wait, seen, since = _FIRST_WAIT, _traces(folder), time.monotonic()
    while not done():
        try:
            lock = lock or FileLock(path)
            lock.acquire(timeout=0)
            break
        except Timeout:
            pass
        except Exception:  # whatever keeps the file system from locking: it is done without
            break
        traces = _traces(folder)
        if traces != seen:
            seen, since = traces, time.monotonic()
        elif time.monotonic() - since > patience:
            break
        time.sleep(wait)
        wait = min(2 * wait, _LONGEST_WAIT)

    def alive() -> None:
        with suppress(OSError):
            os.utime(path)

    try:
        alive()
        yield alive
    finally:
        if lock is not None:
            with suppress(Exception):  # as above
                lock.release()


def _traces(folder: Path) -> frozenset[tuple[str, int, int]]:
    """Return what changes in a folder when somebody works in it."""
    found = set()
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                facts = entry.stat()
                found.add((entry.name, facts.st_size, facts.st_mtime_ns))
    return frozenset(found)
