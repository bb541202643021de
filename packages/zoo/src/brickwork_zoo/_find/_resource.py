"""`Resource`: the candidate URLs, expected hash and size of a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Reader: TypeAlias = Callable[[str, Any], Any]
"""Takes a URI and a ``map_location`` as for ``torch.load``, and returns the checkpoint."""


@dataclass(frozen=True)
class Resource:
    """A file or folder that a URI stands for, and what is known about it.

    Attributes:
        uri: The URI or path as it was passed in.
        urls: Candidate URLs in the order in which to try them; empty for a local file.
        filename: File name that is valid on every file system.
        path: Path of a local file or folder; None for a file to download.
        sha256: Expected SHA-256 in lower case, or its first 8 or more digits; None if unknown.
        sha256_source: Where the hash comes from: ``"argument"``, ``"earlier call"``,
            ``"file name"``, or the source
            that the catalog records, such as ``"measured"``; None if there is no hash.
        size: Approximate size in bytes; None if unknown.
        prefix: Key prefix to load (``"backbone."`` for the backbone of a classifier); empty to
            load all keys.
        identity: Cache key of a file without a known hash: its first URL before mirrors apply, so
            that a file downloaded from a mirror is found again without the mirror.
        reader: Function that reads the checkpoint itself; such a resource has no file to download.
    """

    uri: str
    urls: tuple[str, ...]
    filename: str
    path: Path | None = None
    sha256: str | None = None
    sha256_source: str | None = None
    size: int | None = None
    prefix: str = ""
    identity: str = ""
    reader: Reader | None = None
