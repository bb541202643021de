"""What can go wrong in the zoo; every kind is a :class:`ZooError`.

An error carries what it is about as attributes, so that code need not read its message, and
pickles, so that it crosses process borders whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the report needs torch; an error that carries one must not
    pass

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
    """Whatever fails in the zoo.

    Args:
        message: What failed, and the way out.
        uri: The URI, URL or path that it is about.

    Attributes:
        uri: As given.
    """

    # Only the message is positional: unpickling calls the class with `args` and then restores
    # the attributes from `__dict__`.
    def __init__(self, message: str, *, uri: str | None = None) -> None:
        super().__init__(message)
        self.uri = uri

    def __str__(self) -> str:
        return str(self.args[0])  # KeyError, a base of some kinds, would print its repr


class InvalidInputError(ZooError, ValueError):
    """A URI, hash, setting or file of settings that cannot be read."""


class UnknownSchemeError(InvalidInputError):
    """A URI whose scheme nobody has registered."""


class TakenSchemeError(InvalidInputError, KeyError):
    """A scheme that has a loader already."""


class UnknownModelError(ZooError, KeyError):
    """A name that the catalogue does not have."""


class MissingFileError(ZooError, FileNotFoundError):
    """A local path at which there is nothing."""


class MissingDependencyError(ZooError, ImportError):
    """Something needs a package that is not installed.

    Attributes:
        package: What to install.
    """

    def __init__(self, message: str, *, uri: str | None = None, package: str = "") -> None:
        super().__init__(message, uri=uri)
        self.package = package


class CacheError(ZooError, OSError):
    """A file could not be written or read: no room, no permission.

    Attributes:
        path: Where it is, or should have gone.
    """

    def __init__(self, message: str, *, uri: str | None = None, path: Path | None = None) -> None:
        super().__init__(message, uri=uri)
        self.path = path


@dataclass(frozen=True)
class Failure:
    """One place that did not give the file.

    Attributes:
        place: The URL that was asked.
        reason: Why it failed, in a few words.
        status: The HTTP status, where there was an answer.
        attempts: How often it was asked.
    """

    place: str
    reason: str
    status: int | None = None
    attempts: int = 1

    def __str__(self) -> str:
        times = f" (asked {self.attempts} times)" if self.attempts > 1 else ""
        return f"{self.place}: {self.reason}{times}"


class DownloadError(ZooError, OSError):
    """No place gave the file.

    Attributes:
        failures: One :class:`Failure` for each place that was tried, in order.
    """

    def __init__(
        self, message: str, *, uri: str | None = None, failures: Iterable[Failure] = ()
    ) -> None:
        super().__init__(message, uri=uri)
        self.failures = tuple(failures)


class OfflineError(DownloadError):
    """The file is not in the cache, and no request may be made.

    Attributes:
        path: Where the file can be put by hand.
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
    """A file is not the one that was asked for.

    Attributes:
        expected: The SHA-256, or the beginning of it, that the file should have.
        actual: The SHA-256 that it has.
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
    """A file that is no checkpoint, or a broken one.

    Attributes:
        path: The file.
    """

    def __init__(
        self, message: str, *, uri: str | None = None, path: str | Path | None = None
    ) -> None:
        super().__init__(message, uri=uri)
        self.path = path


class UnsafeCheckpointError(CheckpointError):
    """A checkpoint that would run code when loaded.

    Attributes:
        globals: The Python names that it asks for and that are not on the reviewed list.
    """

    def __init__(
        self,
        message: str,
        *,
        uri: str | None = None,
        path: str | Path | None = None,
        globals: Iterable[str] = (),  # noqa: A002  pickle's own word for them
    ) -> None:
        super().__init__(message, uri=uri, path=path)
        self.globals = tuple(globals)


class MismatchError(ZooError, RuntimeError):
    """A checkpoint that does not fit the model.

    Attributes:
        report: The :class:`~brickwork_zoo.LoadReport` of what fits and what does not.
    """

    # `Any`: errors are at the bottom of the zoo, reports far above.
    def __init__(self, message: str, *, uri: str | None = None, report: Any = None) -> None:
        super().__init__(message, uri=uri)
        self.report = report
