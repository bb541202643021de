"""A web server on loopback that behaves, or misbehaves in the ways that a test asks for."""

from __future__ import annotations

import hashlib
import signal
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

Fault = Callable[["Handler", bytes], None]
"""Answers a request in another way than by sending the file."""


@dataclass
class Site:
    """What the server has, and what it is to do.

    Attributes:
        files: Path -> content.
        faults: Path -> what to do at the next requests, one after another; then it behaves.
        always: Path -> what to do at every request.
        tags: Path -> its ETag; one made from the content by default, None for none.
        dates: Path -> when it was changed, in seconds; none by default.
        ranges: Whether it knows Range.
        requests: What it was asked: paths with headers.
        scheme: ``https`` for a server that was given a certificate.
    """

    port: int = 0
    scheme: str = "http"
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    always: dict[str, Fault] = field(default_factory=dict)
    tags: dict[str, str | None] = field(default_factory=dict)
    dates: dict[str, float] = field(default_factory=dict)
    ranges: bool = True
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str, content: bytes | None = None) -> str:
        """Return the URL of a path, and serve a content there."""
        path = path if path.startswith("/") else f"/{path}"
        if content is not None:
            self.files[path] = content
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def asked(self, path: str = "") -> int:
        """Count the requests for a path, or all."""
        return sum(path in asked for asked, _ in self.requests)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        self.site.requests.append((self.path, dict(self.headers)))
        path = self.path
        fault = self.site.always.get(path)
        if self.site.faults[path]:
            fault = self.site.faults[path].pop(0)
        content = self.site.files.get(path)
        with suppress(BrokenPipeError, ConnectionResetError):
            if fault is not None:
                fault(self, content or b"")
            elif content is None:
                self.answer(404, b"no such file")
            else:
                self.send_file(content)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def begin_file(self, content: bytes) -> bytes:
        """Send the head of an answer, and return the part of the content that should follow."""
        tag = self.site.tags.get(self.path, f'"{hashlib.md5(content).hexdigest()}"')
        date = self.site.dates.get(self.path)
        validators = [tag, formatdate(date, usegmt=True) if date is not None else None]
        wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
        start = 0
        if self.site.ranges and wanted and (condition is None or condition in validators):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return b""
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        for name, value in zip(("ETag", "Last-Modified"), validators, strict=True):
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        return content[start:]

    def send_file(self, content: bytes) -> None:
        self.wfile.write(self.begin_file(content))

    def log_message(self, *_: Any) -> None:
        pass


def status(code: int, body: bytes = b"", **headers: str) -> Fault:
    """Answer with a status."""
    return lambda handler, _: handler.answer(code, body, **headers)


def cut(after: int) -> Fault:
    """Send some bytes of what is due and hang up."""

    def fault(handler: Handler, content: bytes) -> None:
        handler.wfile.write(handler.begin_file(content)[:after])
        handler.close_connection = True

    return fault


def drop(handler: Handler, _: bytes) -> None:
    """Hang up without a word."""
    handler.close_connection = True


def stall(after: int, seconds: float = 1.5) -> Fault:
    """Send some bytes and then nothing for a while."""

    def fault(handler: Handler, content: bytes) -> None:
        handler.wfile.write(handler.begin_file(content)[:after])
        handler.wfile.flush()
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def trickle(block: int, pause: float) -> Fault:
    """Send slowly."""

    def fault(handler: Handler, content: bytes) -> None:
        rest = handler.begin_file(content)
        for start in range(0, len(rest), block):
            handler.wfile.write(rest[start : start + block])
            handler.wfile.flush()
            time.sleep(pause)

    return fault


@pytest.fixture
def make_site() -> Iterator[Callable[..., Site]]:
    """Start servers; they end with the test. A file of a key and certificate is for TLS."""
    with ExitStack() as stack:

        def make(certificate: Path | None = None) -> Site:
            site = Site(scheme="https" if certificate else "http")
            handler = type("Handler", (Handler,), {"site": site})
            server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                server.socket = context.wrap_socket(server.socket, server_side=True)
            server.handle_error = lambda *_: None  # of clients that hang up, as some tests want
            server.daemon_threads = True
            server.block_on_close = False
            site.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return site

        yield make


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """Return a running server without files."""
    return make_site()


@pytest.fixture
def faults() -> Any:
    """Return the ways to misbehave; test modules cannot import them from here."""

    class Faults:
        status = staticmethod(status)
        cut = staticmethod(cut)
        drop = staticmethod(drop)
        stall = staticmethod(stall)
        trickle = staticmethod(trickle)

    return Faults


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failed attempts follow each other without long pauses."""
    monkeypatch.setenv("BRICKWORK_BACKOFF", "0.02")
    monkeypatch.setenv("BRICKWORK_TIMEOUT", "2")
    for name in ("BRICKWORK_RETRIES", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let children obey Ctrl-C, also where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
