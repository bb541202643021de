"""``s3://``, ``gs://`` and whatever else fsspec opens, where it is installed."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import IO, Any
from urllib.parse import urlsplit

from ._names import last_component, safe_filename
from ._resource import Resource
from ._stream import RefusedError, Stream, TransientError
from .errors import MissingDependencyError

# What people write most; known without importing fsspec, so that the error for a machine without
# it can say what is missing.
_COMMON = frozenset(
    (
        *("abfs", "abfss", "adl", "az", "ftp", "gcs", "gs", "hdfs", "memory", "oci", "oss"),
        *("s3", "s3a", "sftp", "smb", "ssh"),
    )
)
_REFUSALS = (ImportError, FileNotFoundError, PermissionError, IsADirectoryError, ValueError)


def knows(scheme: str) -> bool:
    """Say whether fsspec, if it were there, could open URIs of this scheme."""
    if scheme in _COMMON:
        return True
    return _installed() and scheme in import_module("fsspec").available_protocols()


def resolve(uri: str) -> Resource:
    """Resolve a URI that fsspec opens: it is its own and only place.

    Raises:
        MissingDependencyError: If fsspec is not installed.
    """
    if not _installed():
        raise MissingDependencyError(
            f"{uri} needs fsspec: pip install 'brickwork-zoo[fsspec]'", uri=uri, package="fsspec"
        )
    return Resource(uri, (uri,), safe_filename(last_component(uri)))


def is_remote(place: str) -> bool:
    """Say whether a place is fsspec's to open, rather than a web server's."""
    return urlsplit(place).scheme not in ("http", "https")


def open_remote(place: str, start: int) -> Stream:
    """Open a file through fsspec.

    Args:
        place: Its URI.
        start: How many bytes to leave out.

    Raises:
        RefusedError: If there is no such file, no right to it, or no package that opens it.
        TransientError: If something else went wrong.
    """
    if not _installed():
        raise RefusedError(
            "it needs fsspec, which is not installed: pip install 'brickwork-zoo[fsspec]'"
        )
    fsspec = import_module("fsspec")
    try:
        system, path = fsspec.url_to_fs(place)
        facts = system.info(path)
        file = system.open(path, "rb", cache_type="none")
        if start:
            file.seek(start)
    except _REFUSALS as error:
        raise RefusedError(_said(error)) from error
    except Exception as error:  # every file system has errors of its own
        raise TransientError(_said(error)) from error
    size = facts.get("size")
    return Stream(
        read=lambda size: _read(file, size),
        close=file.close,
        start=start,
        total=size if isinstance(size, int) else None,
    )


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except Exception as error:  # every file system has errors of its own
        raise TransientError(_said(error)) from error


def _said(error: Exception) -> str:
    text: Any = str(error).strip() or "no reason given"
    return f"{type(error).__name__}: {text}"


def _installed() -> bool:
    return find_spec("fsspec") is not None
