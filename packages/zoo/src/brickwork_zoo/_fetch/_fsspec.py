"""Streams of files on ``s3://``, ``gs://`` and other file systems of fsspec."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import Any

from brickwork_zoo._find._fsspec_schemes import is_installed

from ._attempt_errors import AttemptError, RefusedError, RestartError, TransientError
from ._stream import Stream

_REFUSALS = (ImportError, FileNotFoundError, PermissionError, IsADirectoryError, ValueError)
# Names that file systems use for version tags and for dates of change: S3, Google's and Azure's
# stores, WebDAV, SFTP and local disks, memory.
_TAGS = ("ETag", "etag", "generation", "md5Hash", "content_md5", "checksum")
_DATES = ("LastModified", "last_modified", "updated", "modified", "mtime", "created")
_SETTLED = 2.0  # seconds after which a date cannot be that of two versions


def open_fsspec(url: str, start: int = 0, validator: str | None = None) -> Stream:
    """Open a file through fsspec at an offset if it is still of the same version.

    Raises:
        RefusedError: If the file does not exist, access is denied, or a package is missing.
        RestartError: If the file has another version now.
        TransientError: If anything else failed.
    """
    if not is_installed():
        raise RefusedError("needs fsspec: pip install 'brickwork-zoo[fsspec]'")
    with _translated_errors():
        system, path = import_module("fsspec").url_to_fs(url)
        info = _fresh_info(system, path)
    current = _validator(info)
    if start and validator and current != validator:
        raise RestartError("the file has changed")
    with _translated_errors():
        file = system.open(path, "rb")
        if start:
            file.seek(start)

    def read(size: int) -> bytes:
        with _translated_errors():
            block: bytes = file.read(size)
            # Most file systems request one part after another, each of the current version.
            if not block and _version(_fresh_info(system, path)) != _version(info):
                raise TransientError("the file has changed during the download")
        return block

    size = info.get("size")
    return Stream(
        read=read,
        close=file.close,
        start=start,
        total=size if isinstance(size, int) else None,
        validator=current,
    )


def _fresh_info(system: Any, path: str) -> Mapping[str, Any]:
    """Return a file's current properties, without the file system's cache."""
    system.invalidate_cache(path)
    info: Mapping[str, Any] = system.info(path)
    return info


def _version(info: Mapping[str, Any]) -> str:
    """Return the properties that tell versions of a file apart, as far as they are known."""
    names = _tags(info) or ["size", *_DATES]
    return " ".join(f"{name}={info[name]}" for name in names if info.get(name))


def _validator(info: Mapping[str, Any]) -> str | None:
    """Return a version's identifier if no other version can have it.

    A date may have a resolution of a second, so that the file may change again without a new
    date: it counts only once it is past.
    """
    dates = [_timestamp(info[name]) for name in _DATES if name in info]
    settled = all(date is not None and time.time() - date > _SETTLED for date in dates)
    return _version(info) if _tags(info) or (dates and settled) else None


def _tags(info: Mapping[str, Any]) -> list[str]:
    """Return the names of the strong tags; weak ones do not identify the bytes."""
    return [n for n in _TAGS if info.get(n) and not str(info[n]).startswith("W/")]


def _timestamp(date: object) -> float | None:
    if isinstance(date, datetime):
        return date.timestamp()
    return float(date) if isinstance(date, int | float) else None


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Convert the exceptions of any file system to subclasses of `AttemptError`."""
    try:
        yield
    except AttemptError:
        raise
    except _REFUSALS as error:
        raise RefusedError(_described(error)) from error
    except Exception as error:
        raise TransientError(_described(error)) from error


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip() or 'no message'}"
