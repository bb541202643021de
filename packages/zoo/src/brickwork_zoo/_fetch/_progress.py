"""Telling how far a download is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from tqdm import tqdm

ProgressCallback = Callable[[int, "int | None"], object]
"""Takes how many bytes of the file are there, and how many it has, None where unknown."""


class Progress(AbstractContextManager["Progress"]):
    """A bar on the terminal, a callable, or nothing.

    Args:
        how: True for a bar, False for nothing, None for a bar if the standard error is a
            terminal, or a callable.
        name: What is fetched.
    """

    def __init__(self, how: bool | ProgressCallback | None, name: str) -> None:
        self._tell = how if callable(how) else None
        self._draw = _is_seen() if how is None else how is True
        self._name = name
        self._bar: tqdm[Never] | None = None
        self.error: Exception | None = None  # what the callable, or the terminal, raised
        self._done = 0
        self._total: int | None = None

    def begin(self, done: int, total: int | None) -> None:
        """Set how much is there, at the start of each attempt."""
        self._total = total
        if self._draw and self._bar is None:
            from tqdm import tqdm  # not needed where nothing is drawn

            self._bar = tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc=self._name)
        if self._bar is not None:
            self._bar.total = total
        self._set(done)

    def add(self, count: int) -> None:
        """Count bytes that have come."""
        self._set(self._done + count)

    def _set(self, done: int) -> None:
        try:
            if self._bar is not None:
                self._bar.update(done - self._done)
            if self._tell is not None:
                self._tell(done, self._total)
        except Exception as error:
            self.error = error
            raise
        self._done = done

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _is_seen() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # a program without a console has none
