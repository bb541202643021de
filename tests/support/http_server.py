"""A web server on loopback, with the faults that a test asks for."""

from __future__ import annotations

import hashlib
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Fault = Callable[["Handler", bytes], None]
"""Responds to a request in another way than by sending the file."""


@dataclass
class Site:
    """Files and behavior of a server, and the requests that it received.

    Attributes:
        port: Port on loopback.
        scheme: ``https`` for a server with a certificate.
        files: Content by path.
        faults: Faults by path for the next requests, one each; normal responses after that.
        always: Fault by path for every request.
        tags: ETag by path; made from the content by default, None for none.
        dates: Modification time by path, in seconds; none by default.
        ranges: Whether the server supports Range.
        requests: Path and headers of each request.
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
        """Return the URL of a path, and serve `content` there if it is given."""
        path = path if path.startswith("/") else f"/{path}"
        if content is not None:
            self.files[path] = content
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def asked(self, path: str = "") -> int:
        """Return the number of requests whose path contains `path`."""
        return sum(path in requested for requested, _ in self.requests)


class Handler(BaseHTTPRequestHandler):
    """Responses of a `Site`."""

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
        """Send the headers of a response and return the part of the content that should follow."""
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
    """Respond with a status."""
    return lambda handler, _: handler.answer(code, body, **headers)


def cut(after: int) -> Fault:
    """Send `after` bytes and close the connection."""

    def fault(handler: Handler, content: bytes) -> None:
        handler.wfile.write(handler.begin_file(content)[:after])
        handler.close_connection = True

    return fault


def drop(handler: Handler, _: bytes) -> None:
    """Close the connection without a response."""
    handler.close_connection = True


def stall(after: int, seconds: float = 1.5) -> Fault:
    """Send `after` bytes, then nothing for some seconds, then close the connection."""

    def fault(handler: Handler, content: bytes) -> None:
        handler.wfile.write(handler.begin_file(content)[:after])
        handler.wfile.flush()
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def trickle(block: int, pause: float) -> Fault:
    """Send blocks with pauses between them."""

    def fault(handler: Handler, content: bytes) -> None:
        rest = handler.begin_file(content)
        for start in range(0, len(rest), block):
            handler.wfile.write(rest[start : start + block])
            handler.wfile.flush()
            time.sleep(pause)

    return fault


@contextmanager
def serve(certificate: Path | None = None) -> Iterator[Site]:
    """Run a server without files until the block ends.

    Args:
        certificate: File with a key and a certificate, for HTTPS.
    """
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
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
