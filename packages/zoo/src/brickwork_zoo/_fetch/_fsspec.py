"""Files on ``s3://``, ``gs://`` and whatever else fsspec opens, as streams."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib import import_module
from typing import Any

from brickwork_zoo._find._fsspec_schemes import is_installed

from ._stream import PlaceError, RefusedError, RestartError, Stream, TransientError

_REFUSALS = (ImportError, FileNotFoundError, PermissionError, IsADirectoryError, ValueError)
# What file systems call the mark of a version, and the date of a change: those of S3, of Google's
# and Azure's stores, of WebDAV, of SFTP and local disks, of memory.
_TAGS = ("ETag", "etag", "generation", "md5Hash", "content_md5", "checksum")
_DATES = ("LastModified", "last_modified", "updated", "modified", "mtime", "created")
_SETTLED = 2.0  # seconds


def open_fsspec(place: str, start: int = 0, validator: str | None = None) -> Stream:
    """Open a file through fsspec.

    Args:
        place: Its URI.
        start: How many bytes to leave out.
        validator: What the version that they are of was called; None takes whatever is there now.

    Raises:
        RefusedError: If there is no such file, no right to it, or no package that opens it.
        RestartError: If it is another version now.
        TransientError: If something else went wrong.
    """
    if not is_installed():
        raise RefusedError(
            "it needs fsspec, which is not installed: pip install 'brickwork-zoo[fsspec]'"
        )
    with _said_our_way():
        system, path = import_module("fsspec").url_to_fs(place)
        facts = _facts(system, path)
    current = _validator(facts)
    if start and validator and current != validator:
        raise RestartError("the file has changed")
    with _said_our_way():
        file = system.open(path, "rb")
        if start:
            file.seek(start)

    def read(size: int) -> bytes:
        with _said_our_way():
            block: bytes = file.read(size)
            # Most file systems ask for one part after the other, of whatever is there by then.
            if not block and _version(_facts(system, path)) != _version(facts):
                raise TransientError("the file has changed while it was read")
        return block

    size = facts.get("size")
    return Stream(
        read=read,
        close=file.close,
        start=start,
        total=size if isinstance(size, int) else None,
        validator=current,
    )


def _facts(system: Any, path: str) -> Mapping[str, Any]:
    """Return what a file system says of a file now, not what it remembers."""
    system.invalidate_cache(path)
    facts: Mapping[str, Any] = system.info(path)
    return facts


def _version(facts: Mapping[str, Any]) -> str:
    """Return what tells a version of a file from others, as far as the file system knows."""
    names = _tags(facts) or ["size", *_DATES]
    return " ".join(f"{name}={facts[name]}" for name in names if facts.get(name))


def _validator(facts: Mapping[str, Any]) -> str | None:
    """Return a version's name if no other version can have it.

    A date may have no more than seconds, so that a file may change again without a new one: it
    counts only once it is past.
    """
    dates = [_seconds(facts[name]) for name in _DATES if name in facts]
    settled = all(date is not None and time.time() - date > _SETTLED for date in dates)
    return _version(facts) if _tags(facts) or (dates and settled) else None


def _tags(facts: Mapping[str, Any]) -> list[str]:
    """Name the tags that stand for the bytes; weak ones stand for what they mean."""
    return [n for n in _TAGS if facts.get(n) and not str(facts[n]).startswith("W/")]


def _seconds(date: object) -> float | None:
    if isinstance(date, datetime):
        return date.timestamp()
    return float(date) if isinstance(date, int | float) else None


@contextmanager
def _said_our_way() -> Iterator[None]:
    """Turn what a file system raises, each errors of its own, into ours."""
    try:
        yield
    except PlaceError:
        raise
    except _REFUSALS as error:
        raise RefusedError(_said(error)) from error
    except Exception as error:
        raise TransientError(_said(error)) from error


def _said(error: Exception) -> str:
    text: Any = str(error).strip() or "no reason given"
    return f"{type(error).__name__}: {text}"
