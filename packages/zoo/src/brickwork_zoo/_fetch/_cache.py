"""The cache: one folder for each file, named by its hash where that is known, else by its URL.

    <home>/checkpoints/<hash or URL's hash>/<readable name>     the file
                                            .record.json        that and when it was verified
                                            .lock, .*.part      see `_lock` and `_partial`

A file counts if its record says that it was hashed as it is now, or once it has been hashed again.
Reading needs neither the lock nor the right to write.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

from brickwork_zoo._find._resource import Resource
from brickwork_zoo._find._url import shown
from brickwork_zoo._settings import Settings, expanded, temporary_home
from brickwork_zoo.errors import CacheError

from ._partial import abandoned, note_of, partials
from ._transfer import hash_file

_logger = logging.getLogger(__name__)
_RECORD = ".record.json"
_FOLDER = "checkpoints"
CORRUPT = ".corrupt"  # the ending of a file that was set aside


@dataclass(frozen=True)
class Record:
    """That a file was hashed, and how it looked then.

    Attributes:
        file: Its name in the entry's folder, or its path where it lies elsewhere.
        sha256: The whole hash.
        size: Bytes.
        mtime_ns: When it was last changed.
        uri: What was asked for when it came.
        url: The place that it came from.
    """

    file: str
    sha256: str
    size: int
    mtime_ns: int
    uri: str
    url: str


@dataclass(frozen=True)
class Entry:
    """The folder of one file.

    Attributes:
        folder: Where it is; it need not be there yet.
        filename: What the file is to be called.
    """

    folder: Path
    filename: str

    @property
    def target(self) -> Path:
        """Where the file belongs."""
        return self.folder / self.filename

    def files(self) -> list[Path]:
        """List the data files that are there."""
        with suppress(OSError):
            return sorted(
                path
                for path in self.folder.iterdir()
                if not path.name.startswith(".") and path.suffix != CORRUPT and path.is_file()
            )
        return []

    def record(self) -> Record | None:
        """Read the record of having been verified."""
        try:
            return Record(**json.loads((self.folder / _RECORD).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write_record(self, path: Path, digest: str, *, uri: str, url: str) -> None:
        """Note that a file was verified; where that cannot be written, it is hashed again."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            facts = path.stat()
            file = path.name if path.parent == self.folder else str(path)
            size, changed = facts.st_size, facts.st_mtime_ns
            record = Record(file, digest, size, changed, shown(uri), shown(url))
            # Not tempfile, whose files nobody else may read: others may share the cache.
            temporary = self.folder / f"{_RECORD}.{secrets.token_hex(4)}"
            try:
                temporary.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
                temporary.replace(self.folder / _RECORD)
            finally:
                temporary.unlink(missing_ok=True)

    def record_of(self, path: Path) -> Record | None:
        """Read the record if it is of this file."""
        record = self.record()
        return record if record is not None and self.folder / record.file == path else None


class Cache:
    """The folder of all entries.

    Args:
        home: The zoo's home.
    """

    def __init__(self, home: Path) -> None:
        self.root = home / _FOLDER

    def entry(self, resource: Resource) -> Entry:
        """Return the entry that a resource belongs to."""
        identity = resource.identity.encode("utf-8", "surrogatepass")
        key = resource.sha256 or f"url-{sha256(identity).hexdigest()[:24]}"
        return Entry(self.root / key, resource.filename)

    def entries(self) -> list[Entry]:
        """List what is there, one entry for each data file."""
        with suppress(OSError):
            return [
                Entry(folder, file.name)
                for folder in sorted(self.root.iterdir())
                for file in Entry(folder, "").files()
            ]
        return []

    def leftovers(self) -> list[Path]:
        """List what is of no use: partial files, files set aside, entries without a file."""
        with suppress(OSError):
            return [path for folder in sorted(self.root.iterdir()) for path in _leftovers(folder)]
        return []

    def find(self, resource: Resource) -> Path | None:
        """Return the verified file of a resource, if it is here.

        A file that is not what it should be is set aside.
        """
        own = self.entry(resource)
        for entry, path in self.candidates(resource):
            try:
                good = _holds(entry, path, resource)
            except OSError:  # it may not be read, or another process has taken it away
                continue
            if good:
                return path
            if path.parent == own.folder:
                _set_aside(path)
        return None

    def candidates(self, resource: Resource) -> Iterator[tuple[Entry, Path]]:
        """Yield what may be a resource's file: its own, and where the hash is known others'.

        Those are files of hashes that begin like the resource's, or that its begins like, and the
        file of its name that torch.hub has.
        """
        own, wanted = self.entry(resource), resource.sha256
        yield from ((own, path) for path in own.files())
        if wanted is None:
            return
        with suppress(OSError):
            for folder in sorted(self.root.iterdir()):
                begins = folder.name.startswith(wanted) or wanted.startswith(folder.name)
                if begins and folder != own.folder:
                    entry = Entry(folder, resource.filename)
                    yield from ((entry, path) for path in entry.files())
        path = _torch_hub() / resource.filename
        if path.is_file():
            yield own, path


def is_cached(path: Path, home: str | os.PathLike[str] | None = None) -> bool:
    """Return whether a file is in the cache, whose files are replaced but never written to.

    Args:
        path: The file.
        home: The zoo's home; by default that of the settings, or the temporary one.
    """
    file = path.resolve()
    homes = (Settings.read(home=home).home, temporary_home())
    return any(file.is_relative_to((home / _FOLDER).resolve()) for home in homes)


def writable(settings: Settings, resource: Resource) -> Cache:
    """Return the cache to put a resource into: the home's, or a temporary one if that is read-only.

    Raises:
        CacheError: If neither can be written.
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
                    _logger.warning("%s cannot be written; using %s", settings.home, home)
                return cache
            problem = "no permission to write"
    raise CacheError(
        f"cannot keep {shown(resource.uri)}, as neither {settings.home} nor {temporary} can be "
        f"written ({problem}): set BRICKWORK_HOME to a folder that can",
        uri=resource.uri,
        path=settings.home,
    )


def _make_private(folder: Path) -> None:
    """Make a folder in a place that everybody can write, and see that it is nobody else's."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    facts = folder.lstat()
    if os.name == "posix" and (facts.st_uid != os.getuid() or facts.st_mode & 0o022):
        raise PermissionError(f"{folder} may be written by others")


def _torch_hub() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("TORCH_HOME") or f"{cache}/torch"
    return expanded(home) / "hub" / "checkpoints"


def _holds(entry: Entry, path: Path, resource: Resource) -> bool:
    """Say whether a file is a resource's, by its record if it is still as it was then."""
    record = entry.record_of(path)
    fresh = record is not None and _is_as(path, record)
    digest = record.sha256 if record is not None and fresh else hash_file(path)
    if resource.sha256 is not None:
        good = digest.startswith(resource.sha256)
    else:  # nothing tells but what it was when it came
        good = record is None or record.sha256 == digest
    if good and not fresh:
        entry.write_record(path, digest, uri=resource.uri, url=record.url if record else "")
    return good


def _is_as(path: Path, record: Record) -> bool:
    facts = path.stat()
    return (facts.st_size, facts.st_mtime_ns) == (record.size, record.mtime_ns)


def _set_aside(path: Path) -> None:
    with suppress(OSError):
        path.replace(path.with_name(path.name + CORRUPT))
        _logger.warning("%s is not what it was; set it aside and fetching it again", path)


def _leftovers(folder: Path) -> list[Path]:
    if not partials(folder) and not Entry(folder, "").files():
        return [folder]
    parts = [file for part in abandoned(folder) for file in (part, note_of(part))]
    return [*filter(Path.exists, parts), *folder.glob(f"*{CORRUPT}")]
