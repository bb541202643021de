"""Errors of an attempt to download from one URL; the type decides about further attempts."""

from __future__ import annotations

from brickwork_zoo._redact import redact_credentials

_MAX_REASON = 300  # characters


class AttemptError(Exception):
    """A failed attempt to download from one URL.

    Args:
        reason: Why the attempt failed. A long text is shortened; control characters are escaped
            and credentials redacted.
        status: HTTP status, if there was a response.
        wait: Seconds that the server asks to wait before the next attempt.
    """

    def __init__(self, reason: str, *, status: int | None = None, wait: float | None = None):
        super().__init__(reason)
        self.reason = _printable(redact_credentials(reason))
        self.status = status
        self.wait = wait


class TransientError(AttemptError):
    """A failure that may pass: a cut connection, a stall, an overloaded server."""


class UnreachableError(AttemptError):
    """No connection: the other URLs are tried before this one again."""


class RefusedError(AttemptError):
    """A failure that another attempt cannot change."""


class UntrustedError(RefusedError):
    """A host that could not prove its identity."""


class WrongHashError(RefusedError):
    """A file with another hash than expected."""

    def __init__(self, reason: str, *, expected: str, actual: str):
        super().__init__(reason)
        self.expected = expected
        self.actual = actual


class RestartError(AttemptError):
    """A partial file that does not belong to the version the server has now."""


def _printable(text: str) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:_MAX_REASON])
    return shown + ("..." if len(text) > _MAX_REASON else "")
