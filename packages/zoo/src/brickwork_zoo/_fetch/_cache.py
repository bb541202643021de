"""The cache: one folder for each file, named after its hash if known, otherwise after its URL.

    <home>/checkpoints/<hash, or url-<hash of the URL>>/<file name>     the file
                                                        .record.json    its verification record
                                                        .lock, .*.part  see `_lock` and `_partial`

    <home>/checkpoints/url-<hash of the URL>/.sha256                    a hash that a caller passed

A file is used if its record shows that it is unchanged since it was hashed; otherwise it is hashed
again. Reading needs neither the lock nor write permission.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from brickwork_zoo._find._file_hash import FROM_ARGUMENT, FROM_EARLIER_CALL
from brickwork_zoo._find._resource import Resource
from brickwork_zoo._settings import Settings, expand_home, temporary_home
from brickwork_zoo.errors import CacheError

from ._cache_entry import Entry
from ._transfer import hash_file

_logger = logging.getLogger(__name__)
_FOLDER = "checkpoints"


class Cache:
    """The folder of all entries, below the zoo's home."""

    def __init__(self, home: Path) -> None:
        self.root = home / _FOLDER

    def entry(self, resource: Resource) -> Entry:
        """Return the entry of a resource."""
        if resource.sha256 is None:
            return self._url_entry(resource)
        return Entry(self.root / resource.sha256, resource.filename)

    def _url_entry(self, resource: Resource) -> Entry:
        identity = resource.identity.encode("utf-8", "surrogatepass")
        return Entry(self.root / f"url-{sha256(identity).hexdigest()[:24]}", resource.filename)

    def with_stated_hash(self, resource: Resource) -> Resource:
        """Return the resource with the hash that a caller once passed for its URL, if any.

        It overrides the hash in the catalog or the file name, but not one that is passed now.
        """
        stated = self._url_entry(resource).stated_hash()
        if stated is None or resource.sha256_source == FROM_ARGUMENT:
            return resource
        return replace(resource, sha256=stated, sha256_source=FROM_EARLIER_CALL)

    def state_hash(self, resource: Resource, digest: str) -> None:
        """Store the hash that a caller has passed for a URL, so that later calls can omit it."""
        known = resource.sha256
        is_known = known is not None and (digest.startswith(known) or known.startswith(digest))
        self._url_entry(resource).write_stated_hash(None if is_known else digest)

    def forget(self, resource: Resource) -> None:
        """Remove the files of a URL, whose contents have changed, and a hash passed for it."""
        for path in self.entry(resource).files():
            path.unlink()
        self._url_entry(resource).write_stated_hash(None)

    def entries(self) -> list[Entry]:
        """List the entries with a file, one for each data file."""
        return [
            Entry(folder, file.name)
            for folder in self._folders()
            for file in Entry(folder, "").files()
        ]

    def leftovers(self) -> list[Path]:
        """List abandoned partial files, corrupt files, and folders without a file."""
        return [path for folder in self._folders() for path in Entry(folder, "").leftovers()]

    def find(self, resource: Resource) -> Path | None:
        """Return the verified file of a resource, or None if it is not in the cache.

        A file in the resource's own entry whose hash is wrong is set aside.
        """
        own = self.entry(resource)
        for entry, path in self.candidates(resource):
            try:
                is_valid = _is_valid(entry, path, resource)
            except OSError:  # no permission, or another process has removed it
                continue
            if is_valid:
                return path
            if path.parent == own.folder:
                own.set_aside(path)
        return None

    def candidates(self, resource: Resource) -> Iterator[tuple[Entry, Path]]:
        """Yield the files that may be a resource's.

        First those of its own entry; if its hash is known, also those of entries whose hash is
        longer or shorter, and torch.hub's file of the same name.
        """
        own, expected = self.entry(resource), resource.sha256
        yield from ((own, path) for path in own.files())
        if expected is None:
            return
        for folder in self._folders():
            is_same_hash = folder.name.startswith(expected) or expected.startswith(folder.name)
            if is_same_hash and folder != own.folder:
                entry = Entry(folder, resource.filename)
                yield from ((entry, path) for path in entry.files())
        path = _torch_hub() / resource.filename
        if os.path.isfile(path):  # noqa: PTH113  Path.is_file raises in another user's folder
            yield own, path

    def _folders(self) -> list[Path]:
        with suppress(OSError):
            return sorted(self.root.iterdir())
        return []


def is_cached(path: Path, home: str | os.PathLike[str] | None = None) -> bool:
    """Return whether a file is in the cache, whose files are replaced but never written to."""
    file = path.resolve()
    homes = (Settings.read(home=home).home, temporary_home())
    return any(file.is_relative_to((home / _FOLDER).resolve()) for home in homes)


def writable_cache(settings: Settings, resource: Resource) -> Cache:
    """Return the cache for a new file: the home's, or a temporary one if that is read-only.

    Raises:
        CacheError: If neither is writable.
    """
    temporary = temporary_home()
    for home in (settings.home, temporary):
        cache = Cache(home)
        folder = cache.entry(resource).folder
        try:
            if home == temporary:
                _make_private(home)
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            problem: object = error
        else:
            if os.access(folder, os.W_OK | os.X_OK):
                if home != settings.home:
                    _logger.warning("%s is not writable; using %s", settings.home, home)
                return cache
            problem = "no permission to write"
    raise CacheError(
        f"cannot store {resource.uri}: neither {settings.home} nor {temporary} is writable "
        f"({problem}); set BRICKWORK_HOME to a writable folder",
        uri=resource.uri,
        path=settings.home,
    )


def _make_private(folder: Path) -> None:
    """Create a private folder inside a world-writable one; fail if another user owns it."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    stat = folder.lstat()
    if os.name == "posix" and (stat.st_uid != os.getuid() or stat.st_mode & 0o022):
        raise PermissionError(f"{folder} is writable by other users")


def _torch_hub() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return expand_home(home) / "hub" / "checkpoints"


def _is_valid(entry: Entry, path: Path, resource: Resource) -> bool:
    """Return whether a file is the resource's; hash it unless its record is current."""
    record = entry.record_of(path)
    is_current = record is not None and record.is_current(path)
    digest = record.sha256 if record is not None and is_current else hash_file(path)
    if resource.sha256 is not None:
        is_valid = digest.startswith(resource.sha256)
    else:  # the only reference is the hash when it was downloaded
        is_valid = record is None or record.sha256 == digest
    if is_valid and not is_current:
        entry.write_record(path, digest, uri=resource.uri, url=record.url if record else "")
    return is_valid
