"""Partial files: incomplete downloads, and how a later attempt resumes them.

Each partial file is written by one process, holds one version of the file and only ever grows. The
partial file of a dead process is never written to again: the next process renames it to a name of
its own, copies it, and continues with the copy. So the result is right even if two processes
consider the same file abandoned, as processes of two containers may.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

_SUFFIX, _MARK = ".part", "~"  # `.net.pth~<host>-<process>-<random>.part`
_STALE = 600.0  # seconds without growth after which a partial file counts as abandoned
_in_use: set[Path] = set()  # partial files of this process


@dataclass(frozen=True)
class Origin:
    """The origin of the bytes in a partial file.

    Attributes:
        url: The URL, with credentials redacted.
        validator: Identifies the version of the file on the server; None if unknown.
        total: Size of the whole file in bytes; None if unknown.
    """

    url: str
    validator: str | None = None
    total: int | None = None


class PartialFile:
    """A partial file that this process is writing, with a file beside it that stores its origin."""

    def __init__(self, folder: Path, filename: str, origin: Origin) -> None:
        self.path = _new_path(folder, filename)
        self.origin = origin
        self.size = 0
        _in_use.add(self.path)
        origin_file_of(self.path).write_text(json.dumps(asdict(origin)), encoding="utf-8")
        self._file = self.path.open("xb", buffering=0)  # so that closing has nothing to write

    def append(self, data: bytes) -> None:
        """Write bytes at the end, visible to other processes at once."""
        rest = memoryview(data)
        while rest:  # a disk that is almost full accepts a part
            count = self._file.write(rest)
            self.size += count
            rest = rest[count:]

    def move_to(self, target: Path) -> None:
        """Move the complete file into place atomically."""
        self._file.close()
        # No fsync: after a loss of power the size in the cache record shows whether it is whole.
        os.replace(self.path, target)  # noqa: PTH105  the same, and the usual name for it
        self.remove()

    def keep(self) -> None:
        """Close the file and leave it for a later attempt."""
        self._file.close()
        _in_use.discard(self.path)

    def remove(self) -> None:
        """Remove the file."""
        self._file.close()
        _remove(self.path)
        _in_use.discard(self.path)


@dataclass(frozen=True)
class ResumableFile:
    """The partial file of an earlier attempt, taken over by this process.

    Attributes:
        path: Path of the file.
        size: Size in bytes.
        origin: Where the bytes come from; None if unknown.
    """

    path: Path
    size: int
    origin: Origin | None

    def can_resume_from(self, url: str, sha256: str | None) -> bool:
        """Return whether the hash or the server can detect that the file is of another version."""
        origin = self.origin
        server_checks = origin is not None and origin.url == url and origin.validator is not None
        return sha256 is not None or server_checks

    def release(self) -> None:
        """Leave the file, if it is still there, for a later attempt."""
        _in_use.discard(self.path)

    def remove(self) -> None:
        """Remove the file."""
        _remove(self.path)
        _in_use.discard(self.path)


def take_over(folder: Path, filename: str) -> ResumableFile | None:
    """Take over the longest abandoned partial file and remove the others."""
    longest: ResumableFile | None = None
    for path in sorted(abandoned_files(folder), key=_size, reverse=True):
        if longest is not None or _size(path) == 0:
            _remove(path)
            continue
        own = _new_path(folder, filename)
        _in_use.add(own)
        with suppress(OSError):
            origin_file_of(path).replace(origin_file_of(own))
        try:
            path.replace(own)
        except OSError:  # another process was faster
            _remove(own)
            _in_use.discard(own)
            continue
        longest = ResumableFile(own, _size(own), _read_origin(own))
    return longest


def remove_abandoned(folder: Path) -> None:
    """Remove the abandoned partial files in a folder."""
    for path in abandoned_files(folder):
        _remove(path)


def partial_files(folder: Path) -> list[Path]:
    """List the partial files in a folder, and the origin files beside them."""
    with suppress(OSError):
        return [p for p in folder.iterdir() if p.name.startswith(".") and _SUFFIX in p.suffixes]
    return []


def abandoned_files(folder: Path) -> Iterator[Path]:
    """Yield the partial files in a folder that no process is writing."""
    names = {p.with_suffix("") if p.suffix == ".json" else p for p in partial_files(folder)}
    return (path for path in names if not _is_being_written(path))


def origin_file_of(path: Path) -> Path:
    """Return the path of the file beside a partial file that stores its origin."""
    return path.with_name(f"{path.name}.json")


def _is_being_written(path: Path) -> bool:
    """Return whether a process is still writing a partial file, as far as one can tell.

    A process number may have been reused, and a process on another machine cannot be asked:
    a file that has not grown for `_STALE` seconds counts as abandoned.
    """
    if path in _in_use:
        return True
    _, _, tag = path.name.removesuffix(_SUFFIX).rpartition(_MARK)
    host, process, _ = (*tag.split("-"), "", "")[:3]
    if os.name == "posix" and host == _host() and process.isdecimal():
        is_own = int(process) == os.getpid()  # but not one of `_in_use`
        if is_own or not _is_alive(int(process)):
            return False
    with suppress(OSError):
        return time.time() - path.stat().st_mtime < _STALE
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's process
        return True
    with suppress(OSError):  # on Linux: a process that ended but was not waited for yet
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
    return True


def _host() -> str:
    return sha256(socket.gethostname().encode()).hexdigest()[:8]


def _new_path(folder: Path, filename: str) -> Path:
    tag = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    return folder / f".{filename}{_MARK}{tag}{_SUFFIX}"


def _read_origin(path: Path) -> Origin | None:
    try:
        return Origin(**json.loads(origin_file_of(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _remove(path: Path) -> None:
    for file in (path, origin_file_of(path)):
        with suppress(OSError):
            file.unlink()
