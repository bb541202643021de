"""Partial files: what there is of a file that has not come whole yet.

Each is written by one process, holds one version of the file and only ever grows. What a process
that died has left is never written to again: the next one moves it aside under a name of its own,
copies it, and goes on with the copy. So even where two processes take the same one for abandoned,
as they may where process numbers mean nothing to each other, no byte goes astray.
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
_STALE = 600.0  # seconds without a byte after which a partial file counts as abandoned
_mine: set[Path] = set()  # those that this process is writing


@dataclass(frozen=True)
class Origin:
    """Where the bytes of a partial file come from.

    Attributes:
        place: The URL.
        validator: What the server calls this version of the file; None if it has no word for it.
        total: How long the whole file is; None where unknown.
    """

    place: str
    validator: str | None = None
    total: int | None = None


class Partial:
    """A partial file that this process is writing.

    Args:
        folder: The folder of the file that is to be.
        filename: Its name.
        origin: Where its bytes come from.
    """

    def __init__(self, folder: Path, filename: str, origin: Origin) -> None:
        self.path = _new_name(folder, filename)
        self.origin = origin
        self.size = 0
        _mine.add(self.path)
        note_of(self.path).write_text(json.dumps(asdict(origin)), encoding="utf-8")
        self._file = self.path.open("xb", buffering=0)  # nothing is left to write in an error

    def append(self, data: bytes) -> None:
        """Write bytes at the end, and let others see them."""
        rest = memoryview(data)
        while rest:  # a disk that is almost full takes a part
            count = self._file.write(rest)
            self.size += count
            rest = rest[count:]

    def move_to(self, target: Path) -> None:
        """Make it the file that it was to be, in one step."""
        self._file.close()
        # No fsync: the record of the file's size tells after a loss of power whether it is whole.
        os.replace(self.path, target)  # noqa: PTH105  the same, and says what is done
        self.discard()

    def leave(self) -> None:
        """Keep it for a later attempt."""
        self._file.close()
        _mine.discard(self.path)

    def discard(self) -> None:
        """Remove it."""
        self._file.close()
        _remove(self.path)
        _mine.discard(self.path)


@dataclass(frozen=True)
class Remains:
    """What an earlier attempt has left, moved aside for this process alone.

    Attributes:
        path: The file.
        size: Its bytes.
        origin: Where they come from; None where nothing says so.
    """

    path: Path
    size: int
    origin: Origin | None

    def serves(self, place: str, sha256: str | None) -> bool:
        """Say whether it can be gone on with: a hash or the server must be able to tell."""
        known = self.origin is not None and self.origin.place == place and self.origin.validator
        return bool(sha256 or known)

    def discard(self) -> None:
        """Remove it."""
        _remove(self.path)
        _mine.discard(self.path)


def claim(folder: Path, filename: str) -> Remains | None:
    """Take the longest partial file that nobody is writing any more, and remove the others."""
    best: Remains | None = None
    for path in sorted(abandoned(folder), key=_size, reverse=True):
        if best is not None or _size(path) == 0:
            _remove(path)
            continue
        own = _new_name(folder, filename)
        _mine.add(own)
        with suppress(OSError):
            note_of(path).replace(note_of(own))
        try:
            path.replace(own)
        except OSError:  # another process was quicker
            _remove(own)
            _mine.discard(own)
            continue
        best = Remains(own, _size(own), _read_note(own))
    return best


def sweep(folder: Path) -> None:
    """Remove what processes that are no more have left of a file."""
    for path in abandoned(folder):
        _remove(path)


def release(remains: Remains) -> None:
    """Give back what was claimed and not used."""
    _mine.discard(remains.path)


def partials(folder: Path) -> list[Path]:
    """List the partial files in a folder, and the notes that belong to them."""
    with suppress(OSError):
        return [p for p in folder.iterdir() if p.name.startswith(".") and _SUFFIX in p.suffixes]
    return []


def abandoned(folder: Path) -> Iterator[Path]:
    """Yield the partial files that nobody is writing any more."""
    names = {p.with_suffix("") if p.suffix == ".json" else p for p in partials(folder)}
    return (path for path in names if not _is_written(path))


def _is_written(path: Path) -> bool:
    """Say whether a process is still writing a partial file, as far as one can tell.

    A number may be another process's by now, and a process of another machine cannot be asked for:
    a file that has not grown for long is nobody's.
    """
    if path in _mine:
        return True
    _, _, tag = path.name.removesuffix(_SUFFIX).rpartition(_MARK)
    host, process, _ = (*tag.split("-"), "", "")[:3]
    if os.name == "posix" and host == _host() and process.isdecimal():
        own = int(process) == os.getpid()  # and not among those that this one is writing
        if own or not _is_alive(int(process)):
            return False
    with suppress(OSError):
        return time.time() - path.stat().st_mtime < _STALE
    return False


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is somebody else's
        return True
    with suppress(OSError):  # Linux tells of a dead one whose parent has not looked yet
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return state.rpartition(")")[2].split()[0] not in ("Z", "X")
    return True


def _host() -> str:
    return sha256(socket.gethostname().encode()).hexdigest()[:8]


def _new_name(folder: Path, filename: str) -> Path:
    tag = f"{_host()}-{os.getpid()}-{secrets.token_hex(4)}"
    return folder / f".{filename}{_MARK}{tag}{_SUFFIX}"


def note_of(path: Path) -> Path:
    """Return the file beside a partial file that says where its bytes come from."""
    return path.with_name(f"{path.name}.json")


def _read_note(path: Path) -> Origin | None:
    try:
        return Origin(**json.loads(note_of(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _remove(path: Path) -> None:
    for file in (path, note_of(path)):
        with suppress(OSError):
            file.unlink()
