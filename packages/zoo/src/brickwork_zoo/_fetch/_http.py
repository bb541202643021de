"""Asking a web server for a file, from its beginning or from where the last attempt ended."""

from __future__ import annotations

import os
import re
import ssl
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests
import urllib3

from brickwork_zoo._find import _hub

from ._stream import (
    PlaceError,
    RefusedError,
    RestartError,
    Stream,
    TransientError,
    UnreachableError,
    UntrustedError,
)

TRANSIENT = frozenset((408, 425, 429, 500, 502, 503, 504))
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_UNREACHABLE = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.ProxyError,
)
_STALLS = (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError)
_CUT_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
_REFUSALS = (ValueError, requests.TooManyRedirects)  # requests' invalid URLs are ValueErrors
_PLAIN, _PACKED = ("", "identity"), ("gzip", "x-gzip", "deflate")


def new_session() -> requests.Session:
    """Return a session that trusts what the environment names.

    requests reads ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE``, which go first, and not what
    OpenSSL, and with it torch.hub, goes by.
    """
    session = requests.Session()
    session.verify = os.environ.get("SSL_CERT_FILE") or True
    return session


def open_http(
    session: requests.Session,
    place: str,
    *,
    start: int = 0,
    validator: str | None = None,
    timeout: float,
) -> Stream:
    """Ask for a file.

    Args:
        session: Keeps the connection for further attempts.
        place: The URL.
        start: How many bytes are there already.
        validator: What the version that they are of was called; without one the server sends the
            rest of whatever it has now.
        timeout: Seconds without a byte, for connecting and for reading.

    Returns:
        The file from ``start`` on, or from its beginning where the server sends the whole.

    Raises:
        PlaceError: Of the kind that says whether and when to ask again.
    """
    headers = {"Accept-Encoding": "identity"}  # a hash and a range are of the file as it is
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    try:
        response = session.get(
            place, headers=headers, stream=True, timeout=timeout, auth=_authorization(place)
        )
    except (requests.RequestException, ValueError) as error:
        raise _classified(error, timeout) from error
    except OSError as error:  # no error of the connection: the certificates to trust are missing
        raise UntrustedError(str(error)) from error
    try:
        return _stream(response, place, start, validator, timeout)
    except BaseException:
        response.close()
        raise


def _stream(
    response: requests.Response, place: str, start: int, validator: str | None, timeout: float
) -> Stream:
    status, headers = response.status_code, response.headers
    if status == 416 and start:
        raise RestartError("the server's file is shorter than what is here of it")
    if status not in (200, 203, 206):
        kind = TransientError if status in TRANSIENT or status > 504 else RefusedError
        raise kind(
            f"HTTP {status} {response.reason or ''}".rstrip(),
            status=status,
            wait=_retry_after(headers.get("Retry-After")),
        )
    current = _validator(headers)
    total: int | None = None
    encoding = headers.get("Content-Encoding", "").strip().lower()
    encoded = encoding not in _PLAIN
    if encoded and encoding not in _PACKED:
        raise RefusedError(f"it sent the file packed as {encoding!r}, unasked", status=status)
    if status == 206:
        if encoded:
            raise RestartError("it sent a part of a packed file")
        total = _total_of_range(headers.get("Content-Range", ""), start)
        if validator and current and current != validator:
            raise RestartError("the server's file has changed")
    else:
        start = 0
        length = headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and not encoded else None
    if "text/html" in headers.get("Content-Type", "").lower() and not _is_page(place):
        raise RefusedError("it sent an HTML page instead of the file", status=status)
    tag = next((t for r in response.history if (t := r.headers.get("X-Linked-ETag"))), None)

    def read(size: int) -> bytes:
        try:
            # What has come, rather than all of `size`: a stall then loses nothing, and who looks
            # at the partial file sees it grow.
            return response.raw.read1(size, decode_content=encoded) or b""
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise _classified(error, timeout) from error

    return Stream(
        read=read,
        close=response.close,
        start=start,
        total=total,
        validator=None if encoded else current,
        sha256=_hub.hash_in_tag(tag),
    )


def _is_page(place: str) -> bool:
    return place.partition("?")[0].lower().endswith((".html", ".htm"))


def _total_of_range(text: str, start: int) -> int | None:
    match = _CONTENT_RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) != start:
        raise RestartError(f"the server sent another part than was asked for ({text or 'unnamed'})")
    return None if match[3] == "*" else int(match[3])


def _validator(headers: Any) -> str | None:
    """Return the entity tag if it is a strong one, else the date of change if it will do.

    A date has seconds: a file may have changed again within the second in which it was sent, see
    https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2.
    """
    tag: str | None = headers.get("ETag")
    if tag:
        return None if tag.startswith("W/") else tag
    changed, sent = _date(headers.get("Last-Modified")), _date(headers.get("Date"))
    if changed is None or sent is None or (sent - changed).total_seconds() < 1:
        return None
    return str(headers["Last-Modified"])


def _retry_after(text: str | None) -> float | None:
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    moment = _date(text)
    return None if moment is None else max(0.0, moment.timestamp() - time.time())


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _authorization(place: str) -> Any:
    """Return what adds the hub's token; requests takes it off when it is sent elsewhere."""
    token = _hub.token_for(place)
    if token is None:
        return None

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def _classified(error: Exception, timeout: float) -> PlaceError:
    """Say in our words what went wrong, and whether asking again may help."""
    cause = _inmost(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UntrustedError(f"TLS failed, its certificate is not trusted: {cause.verify_message}")
    if isinstance(error, requests.exceptions.SSLError) and not isinstance(cause, _CUT_TLS):
        return RefusedError(f"TLS failed: {cause}")
    if isinstance(error, requests.ConnectTimeout):
        return UnreachableError(f"no connection within {timeout:g} s")
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return UnreachableError(f"the host's name is not known: {cause}")
    if isinstance(error, requests.exceptions.ProxyError) or isinstance(cause, _UNREACHABLE):
        return UnreachableError(f"no connection: {cause}")
    if isinstance(error, _STALLS):
        return TransientError(f"stalled: no byte within {timeout:g} s")
    if isinstance(error, _REFUSALS):
        return RefusedError(f"{type(error).__name__}: {error}")
    if isinstance(error, urllib3.exceptions.DecodeError):
        return TransientError(f"what it sent cannot be unpacked: {cause}")
    return TransientError(f"the connection was cut: {cause}")


def _inmost(error: Exception) -> Exception:
    """Return what lies at the bottom of the wrappings of requests and urllib3."""
    inner: Any = error
    while isinstance(inner, Exception):
        error = inner
        inner = getattr(error, "reason", None) or next(iter(error.args), None)
    return error
