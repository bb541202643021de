"""What is known of a file before it is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

Reader: TypeAlias = Callable[[str, Any], Any]
"""Takes a URI and a ``map_location`` as for ``torch.load``, and returns the checkpoint."""


@dataclass(frozen=True)
class Resource:
    """A file, the places that may have it, and what is known of it.

    Attributes:
        uri: As it was asked for.
        places: URLs to try in order; for a local file its path alone.
        filename: A name that is safe on every file system.
        sha256: The file's SHA-256 in lower case, or the beginning of it; None where unknown.
        size: Bytes, about; None where unknown.
        subtree: Only the checkpoint's entries below this prefix are meant (``"backbone."``), as
            for a classifier of which a detector takes the trunk; empty for all of them.
        identity: What the cache tells files of unknown hash apart by: the first place before any
            mirror, so that a file fetched from a mirror is found again without it.
        local: Whether the file lies on this machine already.
        reader: Function that reads the checkpoint itself; such a resource has no file to download.
    """

    uri: str
    places: tuple[str, ...]
    filename: str
    sha256: str | None = None
    size: int | None = None
    subtree: str = ""
    identity: str = ""
    local: bool = False
    reader: Reader | None = None

    @property
    def path(self) -> Path:
        """Where a local file lies."""
        return Path(self.places[0])
