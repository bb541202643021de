"""Fixtures of the zoo's tests: a web server on loopback, and short pauses between attempts."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import http_server
from tests.support.http_server import Site


@pytest.fixture
def make_site() -> Iterator[Callable[..., Site]]:
    """Start servers, which end with the test; see `http_server.serve`."""
    with ExitStack() as stack:

        def make(certificate: Path | None = None) -> Site:
            return stack.enter_context(http_server.serve(certificate))

        yield make


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """Return a running server without files."""
    return make_site()


@pytest.fixture
def faults() -> ModuleType:
    """Return the module with the faults that a server can have."""
    return http_server


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set short pauses between attempts."""
    monkeypatch.setenv("BRICKWORK_BACKOFF", "0.02")
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "2")
    for name in ("BRICKWORK_RETRIES", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Make child processes react to Ctrl-C, even if the tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
