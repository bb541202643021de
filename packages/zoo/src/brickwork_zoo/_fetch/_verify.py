"""`verify`: hashes a file again, even if the cache record is current."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from brickwork_zoo._find._file_hash import hash_in_name
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import HashMismatchError, MissingFileError

from ._cache import Cache
from ._transfer import hash_file


@dataclass(frozen=True)
class Verified:
    """The result of `verify`: a file whose hash is as expected, or whose expected hash is unknown.

    Attributes:
        path: Path of the file.
        sha256: SHA-256 of the file.
        expected: The hash, or its first digits, that it was compared with; None if there is none.
    """

    path: Path
    sha256: str
    expected: str | None


def verify(
    uri: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    home: str | os.PathLike[str] | None = None,
) -> Verified:
    """Hash a file again and compare; makes no request and changes nothing.

    Args:
        uri: A path, or a URI whose file is in the cache.
        sha256: The expected SHA-256, or its first 8 or more digits; by default the one of the
            catalog or the file name, otherwise the one recorded when the file was downloaded.
        home: Folder of the cache.

    Returns:
        The file and its hash.

    Raises:
        HashMismatchError: If the file has another hash.
        MissingFileError: If the file is not on this machine.
        CacheError: If the file cannot be read.
        ZooError: If the URI cannot be resolved.
    """
    settings = Settings.read(home=home)
    resource = resolve(uri, sha256=sha256, settings=settings)
    expected = resource.sha256
    if resource.path is not None:
        path = resource.path
        expected = expected or hash_in_name(path.name)
    else:
        cache = Cache(settings.home)
        resource = cache.with_stated_hash(resource)
        expected = resource.sha256
        own = cache.entry(resource)
        entry, path = next(cache.candidates(resource), (own, own.target))
        record = entry.record_of(path)
        expected = expected or (record.sha256 if record is not None else None)
    if not os.path.isfile(path):  # noqa: PTH113  Path.is_file raises without permission
        reason = "it is a folder" if path.is_dir() else f"it is not in the cache ({path})"
        raise MissingFileError(f"cannot verify {resource.uri}: {reason}", uri=str(uri))
    actual = hash_file(path)
    if expected is not None and not actual.startswith(expected):
        raise HashMismatchError(
            f"{path} has SHA-256 {actual}, expected {expected} for {resource.uri}",
            uri=resource.uri,
            expected=expected,
            actual=actual,
        )
    return Verified(path, actual, expected)
