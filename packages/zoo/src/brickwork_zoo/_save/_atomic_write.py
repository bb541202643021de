"""Atomic writing: readers see the old file or the new one, also after a crash."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from brickwork_zoo._fetch._cache import Cache
from brickwork_zoo._find._local import path_of
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._find._url import normalize_case
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import CacheError, MissingDependencyError


def write_atomically(target: str, make: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, then move it into place.

    The file gets the permissions of the one that it replaces, else those of the umask.
    """
    if is_url(target):
        _upload(target, make)
        return
    path = local_path(target)
    partial = temporary_sibling(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        make(partial)
        with suppress(FileNotFoundError):
            shutil.copymode(path, partial)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())  # else a crash of the machine may leave an empty file
        partial.replace(path)
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error}", uri=target, path=path) from error
    finally:
        with suppress(OSError):  # of the folder itself, which the first error is about
            partial.unlink(missing_ok=True)


def temporary_sibling(path: Path) -> Path:
    """Return an unused path in the same folder, with a short name of its own.

    A name that extends the path's may be longer than the 255 bytes that file systems take.
    """
    return path.with_name(f".{secrets.token_hex(8)}.part")


def is_url(target: str) -> bool:
    """Return whether a target is a URL that fsspec writes to."""
    return "://" in target and not normalize_case(target).startswith("file://")


def local_path(target: str) -> Path:
    """Return the path of a local target, a path or ``file://`` URL."""
    url = normalize_case(target)
    return Path(path_of(url)) if url.startswith("file://") else Path(target).expanduser()


def _upload(target: str, make: Callable[[Path], object]) -> None:
    from tempfile import TemporaryDirectory  # with fsspec, needed only for a URL

    try:
        import fsspec  # type: ignore[import-untyped]  # it has no types
    except ImportError as error:
        raise MissingDependencyError(
            f"writing {target} needs fsspec: pip install 'brickwork-zoo[fsspec]'",
            uri=target,
            package="fsspec",
        ) from error
    with TemporaryDirectory() as folder:
        path = Path(folder) / "checkpoint"
        make(path)
        try:
            system, location = fsspec.core.url_to_fs(normalize_case(target))
            system.put_file(str(path), location)
        except ImportError as error:
            raise MissingDependencyError(f"cannot write {target}: {error}", uri=target) from error
        except (OSError, ValueError) as error:
            raise CacheError(f"cannot write {target}: {error}", uri=target) from error
    _remove_from_cache(target)


def _remove_from_cache(target: str) -> None:
    """Remove the cached file of a URL that has just been written to."""
    settings = Settings.read()
    with suppress(OSError):
        Cache(settings.home).forget(resolve(target, settings=settings))
