"""Exceptions of the zoo; all of them are subclasses of :class:`ZooError`.

An error carries its facts as attributes, so that callers need not parse its message. All errors
pickle, so that they can cross process boundaries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._redact import redact_credentials

__all__ = [
    "CacheError",
    "CheckpointError",
    "DownloadError",
    "Failure",
    "HashMismatchError",
    "InvalidInputError",
    "MismatchError",
    "MissingDependencyError",
    "MissingFileError",
    "OfflineError",
    "TakenSchemeError",
    "UnknownModelError",
    "UnknownSchemeError",
    "UnsafeCheckpointError",
    "ZooError",
]


class ZooError(Exception):
    """Base class of all errors of the zoo.

    Args:
        message: What failed, and how to fix it. Credentials in URLs are redacted.
        uri: The URI, URL or path concerned.

    Attributes:
        uri: The URI, URL or path concerned, with credentials redacted; None if there is none.
    """

    # Only the message is positional: unpickling calls the class with `args` and then restores
    # the attributes from `__dict__`.
    def __init__(self, message: str, *, uri: str | None = None) -> None:
        super().__init__(redact_credentials(message))
        self.uri = None if uri is None else redact_credentials(uri)

    def __str__(self) -> str:
        return str(self.args[0])  # some subclasses are KeyErrors, which print the repr


class InvalidInputError(ZooError, ValueError):
    """An invalid URI, hash, setting or settings file."""


class UnknownSchemeError(InvalidInputError):
    """A URI with a scheme that is not registered."""


class TakenSchemeError(InvalidInputError, KeyError):
    """A URI prefix that is already registered."""


class UnknownModelError(ZooError, KeyError):
    """A model name that is not in the catalog."""


class MissingFileError(ZooError, FileNotFoundError):
    """A local path that does not exist."""


class MissingDependencyError(ZooError, ImportError):
    """An optional package that is needed but not installed.

    Attributes:
        package: Name of the package to install.
    """

    def __init__(self, message: str, *, uri: str | None = None, package: str = "") -> None:
        super().__init__(message, uri=uri)
        self.package = package


class CacheError(ZooError, OSError):
    """A file that cannot be read or written: full disk, missing permission.

    Attributes:
        path: Path of the file or folder.
    """

    def __init__(self, message: str, *, uri: str | None = None, path: Path | None = None) -> None:
        super().__init__(message, uri=uri)
        self.path = path


@dataclass(frozen=True)
class Failure:
    """The failed attempts at one candidate URL.

    Attributes:
        url: The URL, with credentials redacted.
        reason: Short reason of the failure.
        status: HTTP status, or None if there was no response.
        attempts: Number of attempts.
    """

    url: str
    reason: str
    status: int | None = None
    attempts: int = 1

    def __str__(self) -> str:
        attempts = f" ({self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.url}: {self.reason}{attempts}"


class DownloadError(ZooError, OSError):
    """A download that failed at every candidate URL.

    Attributes:
        failures: One :class:`Failure` for each URL that was tried, in order.
    """

    def __init__(
        self, message: str, *, uri: str | None = None, failures: Iterable[Failure] = ()
    ) -> None:
        super().__init__(message, uri=uri)
        self.failures = tuple(failures)


class OfflineError(DownloadError):
    """A file that is not in the cache while requests are forbidden.

    Attributes:
        path: Path at which the cache expects the file.
    """

    def __init__(
        self,
        message: str,
        *,
        uri: str | None = None,
        failures: Iterable[Failure] = (),
        path: Path | None = None,
    ) -> None:
        super().__init__(message, uri=uri, failures=failures)
        self.path = path


class HashMismatchError(DownloadError):
    """A file with another SHA-256 than expected.

    Attributes:
        expected: The expected SHA-256, or its first digits.
        actual: The SHA-256 of the file.
    """

    def __init__(
        self,
        message: str,
        *,
        uri: str | None = None,
        failures: Iterable[Failure] = (),
        expected: str = "",
        actual: str = "",
    ) -> None:
        super().__init__(message, uri=uri, failures=failures)
        self.expected = expected
        self.actual = actual


class CheckpointError(ZooError, RuntimeError):
    """A file that is not a checkpoint, or a damaged one.

    Attributes:
        path: Path of the file.
    """

    def __init__(
        self, message: str, *, uri: str | None = None, path: str | Path | None = None
    ) -> None:
        super().__init__(message, uri=uri)
        self.path = path


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint that would run code when loaded.

    Attributes:
        globals: The Python names in the file that are not on the allow-list.
    """

    def __init__(
        self,
        message: str,
        *,
        uri: str | None = None,
        path: str | Path | None = None,
        globals: Iterable[str] = (),  # noqa: A002  pickle's own term for them
    ) -> None:
        super().__init__(message, uri=uri, path=path)
        self.globals = tuple(globals)


class MismatchError(ZooError, RuntimeError):
    """A checkpoint that does not fit the model.

    Attributes:
        report: The :class:`~brickwork_zoo.LoadReport` of what fits and what does not.
    """

    # `Any`: importing `LoadReport` here would need torch.
    def __init__(self, message: str, *, uri: str | None = None, report: Any = None) -> None:
        super().__init__(message, uri=uri)
        self.report = report
