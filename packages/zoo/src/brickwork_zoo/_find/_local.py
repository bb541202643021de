"""Local paths and ``file://`` URLs."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from brickwork_zoo._settings import expanded
from brickwork_zoo.errors import InvalidInputError, MissingFileError

from . import _catalog
from ._resource import Resource


def resolve_path(uri: str) -> Resource:
    """Return the resource of a local file or folder.

    Raises:
        MissingFileError: If there is nothing at the path.
    """
    path = expanded(uri)
    if not os.path.exists(path):  # noqa: PTH110  pathlib's raises where a name is too long
        hint = _catalog.hint(uri)
        raise MissingFileError(
            f"there is no file {path}"
            + (f" (in {Path.cwd()})" if not path.is_absolute() else "")
            + (f"; {hint}" if hint else ""),
            uri=uri,
        )
    return Resource(uri, (str(path),), path.name, local=True)


def resolve_file_url(uri: str) -> Resource:
    """Return the resource of a ``file://`` URL."""
    return resolve_path(path_of(uri))


def path_of(url: str) -> str:
    """Return the path that a ``file://`` URL means.

    Raises:
        InvalidInputError: If it names another machine.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise InvalidInputError(
            f"{url} names the host {parts.netloc!r}: a local file has three slashes, file:///path",
            uri=url,
        )
    return url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
