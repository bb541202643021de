"""Putting files where they belong, whole or not at all."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brickwork_zoo._fetch._cache import Cache
from brickwork_zoo._find._local import path_of
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._find._url import normalize_case
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import CacheError, MissingDependencyError


def write(target: str, make: Callable[[Path], object]) -> None:
    """Let a file be made under another name, then move it into place.

    Args:
        target: A path or a URL of fsspec's.
        make: Writes the file.

    Raises:
        CacheError: It cannot be written.
    """
    if is_url(target):
        _upload(target, make)
        return
    path = local_path(target)
    partial = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make(partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # else a crash of the machine may leave an empty file
        partial.replace(path)
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error}", uri=target, path=path) from error
    finally:
        with suppress(OSError):  # of the folder itself, which the first error names
            partial.unlink(missing_ok=True)


def is_url(target: str) -> bool:
    """Whether a target is a URL that fsspec writes to."""
    return "://" in target and not normalize_case(target).startswith("file://")


def local_path(target: str) -> Path:
    """The path that a target, a path or ``file://`` URL, means."""
    url = normalize_case(target)
    return Path(path_of(url)) if url.startswith("file://") else Path(target).expanduser()


def _upload(target: str, make: Callable[[Path], object]) -> None:
    from tempfile import TemporaryDirectory  # with fsspec, what only a URL needs

    try:
        import fsspec  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise MissingDependencyError(
            f"cannot write {target} without fsspec: pip install brickwork-zoo[fsspec]",
            uri=target,
            package="fsspec",
        ) from error
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        make(path)
        try:
            system, place = fsspec.core.url_to_fs(normalize_case(target))
            system.put_file(str(path), place)
        except ImportError as error:
            raise MissingDependencyError(f"cannot write {target}: {error}", uri=target) from error
        except (OSError, ValueError) as error:
            raise CacheError(f"cannot write {target}: {error}", uri=target) from error
    _forget(target)


def _forget(target: str) -> None:
    """Remove what the cache has of a URL that another file has just been written to."""
    settings = Settings.read()
    with suppress(OSError):
        Cache(settings.home).forget(resolve(target, settings=settings))
