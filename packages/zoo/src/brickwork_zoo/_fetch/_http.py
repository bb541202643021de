"""HTTP requests for a file, from its start or from where an earlier attempt stopped."""

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

from ._attempt_errors import (
    AttemptError,
    RefusedError,
    RestartError,
    TransientError,
    UnreachableError,
    UntrustedError,
)
from ._stream import Stream

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
_MAX_EXPLANATION = 2000  # bytes
_MESSAGE = re.compile(
    r'"(?:error|message|detail)"\s*:\s*"(?P<json>[^"]+)"|<Message>(?P<xml>[^<]+)</Message>'
)
_PLAIN, _COMPRESSED = ("", "identity"), ("gzip", "x-gzip", "deflate")


def new_session() -> requests.Session:
    """Return a session that trusts the certificates named by the environment.

    requests itself reads ``REQUESTS_CA_BUNDLE`` and ``CURL_CA_BUNDLE``, which take precedence, but
    not ``SSL_CERT_FILE``, which OpenSSL and torch.hub use.
    """
    session = requests.Session()
    session.verify = os.environ.get("SSL_CERT_FILE") or True
    return session


def open_http(
    session: requests.Session,
    url: str,
    *,
    start: int = 0,
    validator: str | None = None,
    timeout: float,
) -> Stream:
    """Request a file.

    Args:
        session: Reuses the connection for further attempts.
        url: URL of the file.
        start: Number of bytes that an earlier attempt has downloaded.
        validator: Version that these bytes belong to; None to request the rest of the current
            version.
        timeout: Seconds without a byte after which a request fails.

    Returns:
        The file from `start` on, or from its start if the server sends all of it.

    Raises:
        AttemptError: A subclass that tells whether and when to try again.
    """
    headers = {"Accept-Encoding": "identity"}  # hashes and ranges are of the uncompressed file
    if start:
        headers["Range"] = f"bytes={start}-"
        if validator:
            headers["If-Range"] = validator
    authorization = _authorization(url)
    try:
        response = session.get(
            url, headers=headers, stream=True, timeout=timeout, auth=authorization
        )
    except (requests.RequestException, ValueError) as error:
        raise _classified(error, timeout) from error
    except OSError as error:  # not a connection error: the file of certificates is missing
        raise UntrustedError(str(error)) from error
    try:
        return _stream(response, url, start, validator, timeout)
    except BaseException:
        response.close()
        raise


def _stream(
    response: requests.Response, url: str, start: int, validator: str | None, timeout: float
) -> Stream:
    status, headers = response.status_code, response.headers
    if status == 416 and start:
        raise RestartError("the file on the server is shorter than the partial file")
    if status not in (200, 203, 206):
        raise _refusal(response, url)
    current = _validator(headers)
    total: int | None = None
    encoding = headers.get("Content-Encoding", "").strip().lower()
    encoded = encoding not in _PLAIN
    if encoded and encoding not in _COMPRESSED:
        raise RefusedError(f"unsupported Content-Encoding {encoding!r}", status=status)
    if status == 206:
        if encoded:
            raise RestartError("the server sent a part of a compressed file")
        total = _total_of_range(headers.get("Content-Range", ""), start)
        if validator and current and current != validator:
            raise RestartError("the file on the server has changed")
    else:
        start = 0
        length = headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and not encoded else None
    if "text/html" in headers.get("Content-Type", "").lower() and not _is_page(url):
        raise RefusedError("the server sent an HTML page instead of the file", status=status)
    tag = next((t for r in response.history if (t := r.headers.get("X-Linked-ETag"))), None)

    def read(size: int) -> bytes:
        try:
            # Returns available bytes instead of waiting for `size` bytes: a stall loses none,
            # and the partial file visibly grows.
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


def _refusal(response: requests.Response, url: str) -> AttemptError:
    """Return the error of a response without a file."""
    status = response.status_code
    kind = TransientError if status in TRANSIENT or status > 504 else RefusedError
    reason = f"HTTP {status} {response.reason or ''}".rstrip()
    explanation = _explanation(response)
    token = _hub.token_for(url)
    if token:
        explanation = explanation.replace(token, "***")
    if explanation:
        reason += f": {explanation}"
    if status in (401, 403):
        reason += f"; {_access_hint(url)}"
    return kind(reason, status=status, wait=_retry_after(response.headers.get("Retry-After")))


def _explanation(response: requests.Response) -> str:
    """Return the server's own explanation of a refusal: a header of the hub, or a short body."""
    header = response.headers.get("X-Error-Message")
    if header:
        return header
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in ("application/json", "application/xml", "text/plain", "text/xml"):
        return ""
    try:
        body = response.raw.read(_MAX_EXPLANATION, decode_content=True).decode("utf-8", "replace")
    except (urllib3.exceptions.HTTPError, OSError, ValueError):
        return ""
    match = _MESSAGE.search(body)
    return (match["json"] or match["xml"] if match else body).strip()


def _access_hint(url: str) -> str:
    """Return what to set after a server has denied access to a URL."""
    if not _hub.is_hub_url(url):
        return "access needs a user and password in the URL or in ~/.netrc, or a signed URL"
    if _hub.token_for(url):
        return "the token in HF_TOKEN has no access to this file"
    return "set HF_TOKEN to an access token of the hub"


def _is_page(url: str) -> bool:
    return url.partition("?")[0].lower().endswith((".html", ".htm"))


def _total_of_range(text: str, start: int) -> int | None:
    match = _CONTENT_RANGE.fullmatch(text.strip())
    if match is None or int(match[1]) != start:
        raise RestartError(
            f"the server sent another range than requested (Content-Range: {text or 'missing'})"
        )
    return None if match[3] == "*" else int(match[3])


def _validator(headers: Any) -> str | None:
    """Return the entity tag if it is a strong one, otherwise the date of change if it is reliable.

    Dates have a resolution of a second: a file may have changed again within the second in which
    it was sent, see https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2.
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


def _authorization(url: str) -> Any:
    """Return the auth object that adds the hub's token; requests drops it on other hosts."""
    token = _hub.token_for(url)
    if token is None:
        return None

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


def _classified(error: Exception, timeout: float) -> AttemptError:
    """Convert an exception of requests or urllib3 to an `AttemptError`."""
    cause = _innermost(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return UntrustedError(f"TLS certificate not trusted: {cause.verify_message}")
    if isinstance(error, requests.exceptions.SSLError) and not isinstance(cause, _CUT_TLS):
        return RefusedError(f"TLS failed: {cause}")
    if isinstance(error, requests.ConnectTimeout):
        return UnreachableError(f"no connection within {timeout:g} s")
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return UnreachableError(f"unknown host: {_message(cause)}")
    if isinstance(error, requests.exceptions.ProxyError) or isinstance(cause, _UNREACHABLE):
        return UnreachableError(f"no connection: {_message(cause)}")
    if isinstance(error, _STALLS):
        return TransientError(f"stalled: no data within {timeout:g} s")
    if isinstance(error, _REFUSALS):
        return RefusedError(f"{type(error).__name__}: {error}")
    if isinstance(error, urllib3.exceptions.DecodeError):
        return TransientError(f"invalid compressed data: {cause}")
    return TransientError(f"connection lost: {_message(cause)}")


def _message(error: Exception) -> str:
    """Return the text of an exception of urllib3, without its connection and its inner errors."""
    text = str(error.args[0] if error.args else error)
    return text.partition("): ")[2] or text


def _innermost(error: Exception) -> Exception:
    """Return the original exception inside those of requests and urllib3."""
    inner: Any = error
    while isinstance(inner, Exception):
        error = inner
        inner = getattr(error, "reason", None) or next(iter(error.args), None)
    return error
