"""Waiting for another process or thread."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], timeout: float = 20) -> None:
    """Return once `condition()` is true; fail after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, f"no success within {timeout} s"
        time.sleep(0.01)
