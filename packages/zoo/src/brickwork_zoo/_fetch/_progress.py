"""Progress of a download: a bar, a callback, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Never

if TYPE_CHECKING:
    from tqdm import tqdm

ProgressCallback = Callable[[int, "int | None"], object]
"""Takes the number of bytes downloaded so far and the file's size, None if unknown."""


class Progress(AbstractContextManager["Progress"]):
    """Progress display of one download.

    Args:
        display: True for a bar, False for nothing, None for a bar if the standard error is a
            terminal, or a callback.
        name: Label of the bar.

    Attributes:
        error: The exception that the callback or the terminal raised, if any.
    """

    def __init__(self, display: bool | ProgressCallback | None, name: str) -> None:
        self._callback = display if callable(display) else None
        self._show_bar = _is_terminal() if display is None else display is True
        self._name = name
        self._bar: tqdm[Never] | None = None
        self.error: Exception | None = None
        self._done = 0
        self._total: int | None = None

    def begin(self, done: int, total: int | None) -> None:
        """Set the number of bytes that exist at the start of an attempt."""
        self._total = total
        if self._show_bar and self._bar is None:
            from tqdm import tqdm  # not needed without a bar

            self._bar = tqdm(unit="B", unit_scale=True, unit_divisor=1024, desc=self._name)
        if self._bar is not None:
            self._bar.total = total
        self._update(done)

    def add(self, count: int) -> None:
        """Add downloaded bytes."""
        self._update(self._done + count)

    def _update(self, done: int) -> None:
        try:
            if self._bar is not None:
                self._bar.update(done - self._done)
            if self._callback is not None:
                self._callback(done, self._total)
        except Exception as error:
            self.error = error
            raise
        self._done = done

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()  # None in a program without a console
