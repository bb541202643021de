"""A cache entry: the folder of one file, with the record of its verification."""

from __future__ import annotations

import json
import logging
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from brickwork_zoo._find._file_hash import parse_hash
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo.errors import InvalidInputError

from ._partial import abandoned_files, origin_file_of, partial_files

_logger = logging.getLogger(__name__)
_RECORD = ".record.json"
_STATED_HASH = ".sha256"
_CORRUPT = ".corrupt"  # suffix of a file whose hash was wrong


@dataclass(frozen=True)
class Record:
    """The hash of a file, and its size and time of change when it was hashed.

    Attributes:
        file: Name of the file in the entry's folder, or its path if it lies elsewhere.
        sha256: The full SHA-256.
        size: Size in bytes.
        mtime_ns: Time of the last change.
        uri: The URI that was requested, with credentials redacted.
        url: The URL that the file came from, with credentials redacted.
    """

    file: str
    sha256: str
    size: int
    mtime_ns: int
    uri: str
    url: str

    def is_current(self, path: Path) -> bool:
        """Return whether a file is unchanged since it was hashed."""
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True)
class Entry:
    """The folder of one file.

    Attributes:
        folder: Path of the folder, which need not exist yet.
        filename: Name of the file.
    """

    folder: Path
    filename: str

    @property
    def target(self) -> Path:
        """Path of the file."""
        return self.folder / self.filename

    def files(self) -> list[Path]:
        """List the existing data files."""
        with suppress(OSError):
            return sorted(
                path
                for path in self.folder.iterdir()
                if not path.name.startswith(".") and path.suffix != _CORRUPT and path.is_file()
            )
        return []

    def record(self) -> Record | None:
        """Read the verification record; None if there is none."""
        try:
            return Record(**json.loads((self.folder / _RECORD).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def record_of(self, path: Path) -> Record | None:
        """Read the verification record if it is of this file."""
        record = self.record()
        return record if record is not None and self.folder / record.file == path else None

    def write_record(self, path: Path, digest: str, *, uri: str, url: str) -> None:
        """Write the verification record; without permission the file is hashed again next time."""
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            stat = path.stat()
            record = Record(
                file=path.name if path.parent == self.folder else str(path),
                sha256=digest,
                size=stat.st_size,
                mtime_ns=stat.st_mtime_ns,
                uri=redact_credentials(uri),
                url=redact_credentials(url),
            )
            # Not tempfile, whose files other users cannot read: they may share the cache.
            temporary = self.folder / f"{_RECORD}.{secrets.token_hex(4)}"
            try:
                temporary.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
                temporary.replace(self.folder / _RECORD)
            finally:
                temporary.unlink(missing_ok=True)

    def stated_hash(self) -> str | None:
        """Return the hash that a caller has passed for this entry's URL, or None."""
        with suppress(OSError, InvalidInputError):
            return parse_hash((self.folder / _STATED_HASH).read_text(encoding="utf-8"))
        return None

    def write_stated_hash(self, digest: str | None) -> None:
        """Store the hash that a caller has passed for this entry's URL; None removes it."""
        path = self.folder / _STATED_HASH
        with suppress(OSError):
            if digest is None:
                path.unlink(missing_ok=True)
            else:
                self.folder.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{digest}\n", encoding="utf-8")

    def set_aside(self, path: Path) -> None:
        """Rename a file whose hash is wrong, so that it is downloaded again."""
        with suppress(OSError):
            path.replace(path.with_name(path.name + _CORRUPT))
            _logger.warning("%s has changed since it was verified; downloading it again", path)

    def remove_corrupt(self) -> None:
        """Remove the files that were set aside."""
        for path in self._corrupt():
            with suppress(OSError):
                path.unlink()

    def leftovers(self) -> list[Path]:
        """List what can be removed: abandoned partial files, corrupt files, an empty folder."""
        stated = self.stated_hash()
        has_stated_file = stated is not None and bool(
            Entry(self.folder.parent / stated, "").files()
        )
        if not partial_files(self.folder) and not self.files() and not has_stated_file:
            return [self.folder]
        files = [p for a in abandoned_files(self.folder) for p in (a, origin_file_of(a))]
        return [*filter(Path.exists, files), *self._corrupt()]

    def _corrupt(self) -> list[Path]:
        return list(self.folder.glob(f"*{_CORRUPT}"))
