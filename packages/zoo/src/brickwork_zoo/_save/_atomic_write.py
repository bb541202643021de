"""Atomic writing of files: readers see the old or the new file, also after a crash."""

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

    A replaced file keeps its permissions; a new file gets those of the umask.
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
            os.fsync(file.fileno())  # otherwise a crash of the machine may leave an empty file
        partial.replace(path)
    except OSError as error:
        raise CacheError(f"cannot write {path}: {error}", uri=target, path=path) from error
    finally:
        with suppress(OSError):  # the folder is not writable: the first error says so
            partial.unlink(missing_ok=True)


def temporary_sibling(path: Path) -> Path:
    """Return an unused path in the same folder, with a short random name.

    Appending to the name of `path` could exceed 255 bytes, the limit of most file systems.
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
    from tempfile import TemporaryDirectory  # needed only here, as fsspec

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
    """Remove a URL's old file from the cache after writing to the URL."""
    settings = Settings.read()
    with suppress(OSError):
        Cache(settings.home).forget(resolve(target, settings=settings))
