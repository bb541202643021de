"""Downloading: a URI in, the path of a verified file out."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from brickwork_zoo._find._fsspec_schemes import is_fsspec_url
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._find._resource import Resource
from brickwork_zoo._find._url import shown
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import (
    CacheError,
    DownloadError,
    HashMismatchError,
    InvalidInputError,
)

from . import _cache, _failures, _lock, _partial
from ._fsspec import open_fsspec
from ._http import new_session, open_http
from ._partial import Origin, Partial, Remains
from ._progress import Progress, ProgressCallback
from ._stream import (
    PlaceError,
    RefusedError,
    RestartError,
    Stream,
    TransientError,
    UnreachableError,
    WrongHashError,
)
from ._transfer import Hasher, copy_start, hash_file, receive

if TYPE_CHECKING:
    import requests

LONGEST_WAIT = 120.0  # seconds; a place that asks for more is given up


def download(
    uri: str | os.PathLike[str],
    *,
    sha256: str | None = None,
    progress: bool | ProgressCallback | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    backoff: float | None = None,
    offline: bool | None = None,
    home: str | os.PathLike[str] | None = None,
) -> Path:
    """Fetch a file if it is not in the cache yet, and return where it is.

    Args:
        uri: A path or a URI, see :func:`resolve`.
        sha256: The hash that the file must have, or 8 or more digits of its beginning.
        progress: True for a bar, False for none, None for one if the standard error is a
            terminal; or a callable that takes the bytes that are there and the bytes in all.
        timeout: Seconds without a byte after which a place has stalled.
        retries: Further attempts at each place.
        backoff: Seconds of the first pause between two attempts; each next one is twice as long.
        offline: Make no request.
        home: The folder of the cache.

    Returns:
        The file; for a local path that path.

    Raises:
        DownloadError: If no place gave it; lists each place and why.
        HashMismatchError: If what the places gave is another file.
        OfflineError: If it would have to be fetched and must not be.
        CacheError: If it cannot be written.
        ZooError: If the URI cannot be resolved, see :func:`resolve`.
    """
    settings = Settings.read(
        timeout=timeout, retries=retries, backoff=backoff, offline=offline, home=home
    )
    resource = resolve(uri, sha256=sha256, settings=settings)
    if resource.local:
        return _checked(resource)
    if resource.reader is not None:
        raise InvalidInputError(
            f"cannot download {uri}: its scheme is registered with a function that reads "
            "checkpoints and gives no file; use read_checkpoint or load_checkpoint",
            uri=resource.uri,
        )
    cache = _cache.Cache(settings.home)
    found = _find(cache, resource)
    if found is None and settings.offline:
        raise _failures.offline(resource, cache.entry(resource).target)
    if found is None:
        cache = _cache.writable(settings, resource)
        found = _find(cache, resource)
    return found or _Download(resource, cache, settings, progress).run()


def _find(cache: _cache.Cache, resource: Resource) -> Path | None:
    """Return the file if it is here, and leave nothing beside it that nobody needs any more."""
    found = cache.find(resource)
    if found is not None:
        _partial.sweep(cache.entry(resource).folder)
    return found


def _checked(resource: Resource) -> Path:
    path = resource.path
    if resource.sha256 is not None and path.is_file():
        actual = hash_file(path)
        if not actual.startswith(resource.sha256):
            raise HashMismatchError(
                f"{path} is another file than was asked for: its SHA-256 is {actual}, expected was "
                f"{resource.sha256}",
                uri=resource.uri,
                expected=resource.sha256,
                actual=actual,
            )
    return path


@dataclass
class _Download:
    """One call's work: ask the places in order until one gives the file."""

    resource: Resource
    cache: _cache.Cache
    settings: Settings
    how: bool | ProgressCallback | None
    asked: Counter[str] = field(default_factory=Counter)
    errors: dict[str, PlaceError] = field(default_factory=dict)
    alive: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.entry = self.cache.entry(self.resource)
        self.progress = Progress(self.how, self.resource.filename)

    def run(self) -> Path:
        """Return the file's path."""
        # A holder may wait for a connection that long, and sit out a pause besides.
        patience = 2 * self.settings.timeout + 1
        with _lock.attempted(
            self.entry.folder, patience=patience, done=lambda: bool(self.entry.files())
        ) as self.alive:
            found = _find(self.cache, self.resource)  # another process was quicker
            if found is not None:
                return found
            try:
                return self._fetch()
            except OSError as error:
                if isinstance(error, DownloadError) or error is self.progress.error:
                    raise
                raise CacheError(
                    f"cannot write {self.entry.target}, asked for as {shown(self.resource.uri)}: "
                    f"{error}",
                    uri=shown(self.resource.uri),
                    path=self.entry.target,
                ) from error

    def _fetch(self) -> Path:
        places = list(self.resource.places)
        with new_session() as session, self.progress as bar:
            for turn in range(self.settings.retries + 1):
                if turn:
                    self._pause(self.settings.backoff * 2 ** (turn - 1))
                for place in places:
                    path = self._ask(place, session, bar)
                    if path is not None:
                        return path
                places = [p for p in places if isinstance(self.errors[p], UnreachableError)]
                if not places:
                    break
        if not any(
            isinstance(error, TransientError | UnreachableError) for error in self.errors.values()
        ):
            _partial.sweep(self.entry.folder)
        kept = bool(_partial.partials(self.entry.folder))
        raise _failures.failed(self.resource, self.errors, self.asked, kept=kept)

    def _ask(self, place: str, session: requests.Session, bar: Progress) -> Path | None:
        """Ask one place until it gives the file or is not worth asking again."""
        pause = self.settings.backoff
        while True:
            self.asked[place] += 1
            self.alive()
            try:
                return self._attempt(place, session, bar)
            except PlaceError as error:
                self.errors[place] = error
                wait = min(pause, LONGEST_WAIT) if error.wait is None else error.wait
                if wait > LONGEST_WAIT:
                    error.reason += f"; it asks to be left alone for {wait:.0f} s"
                    return None
                if not isinstance(error, TransientError):
                    return None
                if self.asked[place] > self.settings.retries:
                    return None
            self._pause(wait)
            pause *= 2

    def _attempt(self, place: str, session: requests.Session, bar: Progress) -> Path:
        remains = _partial.claim(self.entry.folder, self.entry.filename)
        if remains is not None and not remains.serves(shown(place), self.resource.sha256):
            remains.discard()
            remains = None
        if remains is not None:
            try:
                return self._continue(place, session, bar, remains)
            except (RestartError, WrongHashError):
                remains.discard()
            finally:
                _partial.release(remains)
        try:
            stream = self._open(place, session, 0, None)
            return self._receive(place, stream, bar, None)
        except RestartError as error:
            raise RefusedError(error.reason) from error

    def _continue(
        self, place: str, session: requests.Session, bar: Progress, remains: Remains
    ) -> Path:
        """Go on where an earlier attempt ended."""
        origin = remains.origin
        same = origin is not None and origin.place == shown(place)
        total = origin.total if origin is not None else None
        # Of a file that is whole the last byte is asked for again: the answer tells whether it is
        # still the server's, and a server has no other polite way to say so.
        start = remains.size if total is None else min(remains.size, total - 1)
        validator = origin.validator if origin is not None and same else None
        stream = self._open(place, session, start, validator)
        if stream.start and None not in (total, stream.total) and total != stream.total:
            stream.close()
            raise RestartError("the server's file has another length now")
        return self._receive(place, stream, bar, remains)

    def _open(
        self, place: str, session: requests.Session, start: int, validator: str | None
    ) -> Stream:
        if is_fsspec_url(place):
            return open_fsspec(place, start, validator)
        return open_http(
            session, place, start=start, validator=validator, timeout=self.settings.timeout
        )

    def _receive(self, place: str, stream: Stream, bar: Progress, remains: Remains | None) -> Path:
        """Write what a place sends, verify it and move it into place."""
        expected = self.resource.sha256 or stream.sha256
        folder = self.entry.folder
        partial = Partial(
            folder, self.entry.filename, Origin(shown(place), stream.validator, stream.total)
        )
        keep = False
        try:
            with Hasher() as hasher:
                if remains is not None:
                    copy_start(remains.path, stream.start, partial, hasher)
                    remains.discard()
                bar.begin(partial.size, stream.total)
                keep = bool(self.resource.sha256 or stream.validator)
                page = self.entry.filename.lower().endswith((".html", ".htm"))
                receive(stream, partial, hasher, bar, page=page)
                digest = hasher.digest()
            if expected is not None and not digest.startswith(expected):
                raise WrongHashError(
                    f"it sent another file: SHA-256 {digest}, expected {expected}",
                    expected=expected,
                    actual=digest,
                )
            return self._keep(partial, digest, place)
        except RefusedError:
            keep = False
            raise
        finally:
            stream.close()
            if partial.path.exists():
                partial.leave() if keep and partial.size else partial.discard()

    def _keep(self, partial: Partial, digest: str, place: str) -> Path:
        target = self.entry.target
        try:
            partial.move_to(target)
        except FileNotFoundError as error:
            # Another process has finished and swept this one away: locks do nothing here.
            found = self.cache.find(self.resource)
            if found is None:
                raise TransientError("another process took its partial file away") from error
            return found
        self.entry.write_record(target, digest, uri=self.resource.uri, url=place)
        _partial.sweep(self.entry.folder)
        return target

    def _pause(self, seconds: float) -> None:
        """Sleep, and tell those who wait for the lock that somebody is at work."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.alive()
            time.sleep(min(left, self.settings.timeout / 2, 1.0))
