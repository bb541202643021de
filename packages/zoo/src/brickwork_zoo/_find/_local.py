"""Local paths and ``file://`` URLs."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from brickwork_zoo._settings import expand_home
from brickwork_zoo.errors import InvalidInputError, MissingFileError

from . import _catalog
from ._resource import Resource


def resolve_path(text: str) -> Resource:
    """Return the resource of a local file or folder.

    Raises:
        MissingFileError: If the path does not exist.
    """
    path = expand_home(text)
    if not os.path.exists(path):  # noqa: PTH110  pathlib's raises where a name is too long
        folder = f" (relative to {Path.cwd()})" if not path.is_absolute() else ""
        hint = _catalog.suggest_uri(text)
        raise MissingFileError(
            f"no file or folder {path}{folder}" + (f"; {hint}" if hint else ""), uri=text
        )
    return Resource(text, (), path.name, path=path)


def resolve_file_url(url: str) -> Resource:
    """Return the resource of a ``file://`` URL."""
    return resolve_path(path_of(url))


def path_of(url: str) -> str:
    """Return the path in a ``file://`` URL.

    Raises:
        InvalidInputError: If the URL names another host.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise InvalidInputError(
            f"file URL must not name a host, got {parts.netloc!r} in {url}; "
            "write three slashes, as in file:///path",
            uri=url,
        )
    return url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)
