"""Hashing a file anew, whatever any record says."""

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
    """A file that is what it should be, as far as that is known.

    Attributes:
        path: The file.
        sha256: Its hash.
        expected: What the hash was compared with; None if there was nothing to compare with.
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
        sha256: What to compare with; by default what the catalogue or the file's name says, else
            what the hash was when the file came.
        home: The folder of the cache.

    Returns:
        The file and its hash.

    Raises:
        HashMismatchError: If it is another file than it should be.
        MissingFileError: If it is not here.
        CacheError: If it cannot be read.
        ZooError: If the URI cannot be resolved.
    """
    settings = Settings.read(home=home)
    resource = resolve(uri, sha256=sha256, settings=settings)
    expected = resource.sha256
    if resource.local:
        path = resource.path
        expected = expected or hash_in_name(path.name)
    else:
        cache = Cache(settings.home)
        own = cache.entry(resource)
        entry, path = next(cache.candidates(resource), (own, own.target))
        record = entry.record_of(path)
        expected = expected or (record.sha256 if record is not None else None)
    if not path.is_file():
        raise MissingFileError(f"{resource.uri} is not here: there is no file {path}", uri=str(uri))
    actual = hash_file(path)
    if expected is not None and not actual.startswith(expected):
        raise HashMismatchError(
            f"{path} is not {resource.uri}: its SHA-256 is {actual}, expected was {expected}",
            uri=resource.uri,
            expected=expected,
            actual=actual,
        )
    return Verified(path, actual, expected)
