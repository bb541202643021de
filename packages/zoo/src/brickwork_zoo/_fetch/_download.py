"""`download`: from a URI to the path of a verified file."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from brickwork_zoo._find._file_hash import Sha256
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._find._resource import Resource
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import (
    CacheError,
    DownloadError,
    HashMismatchError,
    InvalidInputError,
)

from ._attempt import Attempt
from ._attempt_errors import AttemptError, TransientError, UnreachableError
from ._cache import Cache, writable_cache
from ._failures import download_error, offline_error
from ._http import new_session
from ._lock import best_effort_lock
from ._partial import partial_files, remove_abandoned
from ._progress import Progress, ProgressCallback
from ._transfer import hash_file

_logger = logging.getLogger(__name__)
MAX_WAIT = 120.0  # seconds; a server that asks for a longer pause is not tried again


def download(
    uri: str | os.PathLike[str],
    *,
    sha256: Sha256 = None,
    progress: bool | ProgressCallback | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    backoff: float | None = None,
    offline: bool | None = None,
    home: str | os.PathLike[str] | None = None,
) -> Path:
    """Download a file unless it is in the cache, and return its path.

    Args:
        uri: A path or URI, see :func:`resolve`.
        sha256: The expected SHA-256, or its first 8 or more digits; by default the one in the
            catalog or at the end of the file name. A hash passed once also counts for later calls
            with the same URL. False skips the check and logs a warning. A local file is checked
            only if a hash is passed.
        progress: True for a bar, False for none, None for one if the standard error is a
            terminal; or a callback that takes the bytes downloaded so far and the total.
        timeout: Seconds without a byte after which an attempt fails.
        retries: Maximum number of further attempts for each URL.
        backoff: Seconds between the first two attempts; each further pause is twice as long.
        offline: Make no request.
        home: Folder of the cache.

    Returns:
        The path of the file; for a local path that path.

    Raises:
        DownloadError: If no URL gave the file; lists each URL and why.
        HashMismatchError: If the file has another hash.
        OfflineError: If the file is not in the cache and `offline` is set.
        CacheError: If the file cannot be written.
        ZooError: If the URI cannot be resolved, see :func:`resolve`.
    """
    settings = Settings.read(
        timeout=timeout, retries=retries, backoff=backoff, offline=offline, home=home
    )
    resource = resolve(uri, sha256=sha256, settings=settings)
    if sha256 is False and resource.path is None:
        _logger.warning("%s is not verified (sha256=False)", redact_credentials(resource.uri))
    if resource.path is not None:
        return _verified(resource.path, resource)
    if resource.reader is not None:
        raise InvalidInputError(
            f"cannot download {uri}: its scheme is registered with a function that reads "
            "checkpoints and gives no file; use read_checkpoint or load_checkpoint",
            uri=resource.uri,
        )
    cache = Cache(settings.home)
    if sha256 is None:
        resource = cache.with_stated_hash(resource)
    path = _find(cache, resource)
    if path is None and settings.offline:
        raise offline_error(resource, cache.entry(resource).target)
    if path is None:
        cache = writable_cache(settings, resource)
        if sha256 is None:
            resource = cache.with_stated_hash(resource)
        path = _find(cache, resource)
    if path is None:
        path = _Download(resource, cache, settings, progress, verify=sha256 is not False).run()
    if sha256 and resource.sha256:
        cache.state_hash(resolve(uri, settings=settings), resource.sha256)
    return path


def _find(cache: Cache, resource: Resource) -> Path | None:
    """Return the file if it is in the cache, and remove abandoned partial files beside it."""
    path = cache.find(resource)
    if path is not None:
        remove_abandoned(cache.entry(resource).folder)
    return path


def _verified(path: Path, resource: Resource) -> Path:
    if resource.sha256 is not None:
        if path.is_dir():
            raise InvalidInputError(
                f"sha256 needs a file, got the folder {path}; pass sha256=None", uri=resource.uri
            )
        actual = hash_file(path)
        if not actual.startswith(resource.sha256):
            raise HashMismatchError(
                f"{path} has SHA-256 {actual}, expected {resource.sha256}",
                uri=resource.uri,
                expected=resource.sha256,
                actual=actual,
            )
    return path


@dataclass
class _Download:
    """One call's download: try the URLs in order until one gives the file."""

    resource: Resource
    cache: Cache
    settings: Settings
    display: bool | ProgressCallback | None
    verify: bool
    attempts: Counter[str] = field(default_factory=Counter)  # by URL
    errors: dict[str, AttemptError] = field(default_factory=dict)  # the last one by URL
    show_alive: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.entry = self.cache.entry(self.resource)
        self.progress = Progress(self.display, self.resource.filename)

    def run(self) -> Path:
        """Download the file, or wait for another process to do it, and return its path."""
        # The holder of the lock may wait for a connection that long, and pause in addition.
        patience = 2 * self.settings.timeout + 1
        with best_effort_lock(
            self.entry.folder, patience=patience, done=lambda: bool(self.entry.files())
        ) as self.show_alive:
            path = _find(self.cache, self.resource)  # another process may have been faster
            if path is not None:
                return path
            try:
                return self._download()
            except OSError as error:
                if isinstance(error, DownloadError) or error is self.progress.error:
                    raise
                raise CacheError(
                    f"cannot write {self.entry.target} for {self.resource.uri}: {error}",
                    uri=self.resource.uri,
                    path=self.entry.target,
                ) from error

    def _download(self) -> Path:
        """Try all URLs, then those that could not be reached again after a pause."""
        urls = list(self.resource.urls)
        with new_session() as session, self.progress:
            attempt = Attempt(
                self.resource,
                self.cache,
                session,
                self.progress,
                self.settings.timeout,
                self.verify,
            )
            for round_ in range(self.settings.retries + 1):
                if round_:
                    self._pause(self.settings.backoff * 2 ** (round_ - 1))
                for url in urls:
                    path = self._try_url(url, attempt)
                    if path is not None:
                        return path
                urls = [url for url in urls if isinstance(self.errors[url], UnreachableError)]
                if not urls:
                    break
        if not any(
            isinstance(error, TransientError | UnreachableError) for error in self.errors.values()
        ):
            remove_abandoned(self.entry.folder)
        raise download_error(
            self.resource,
            self.errors,
            self.attempts,
            is_resumable=bool(partial_files(self.entry.folder)),
        )

    def _try_url(self, url: str, attempt: Attempt) -> Path | None:
        """Attempt to download from one URL until it succeeds or further attempts are useless."""
        pause = self.settings.backoff
        while True:
            self.attempts[url] += 1
            self.show_alive()
            try:
                return attempt.run(url)
            except AttemptError as error:
                self.errors[url] = error
                wait = min(pause, MAX_WAIT) if error.wait is None else error.wait
                if wait > MAX_WAIT:
                    error.reason += f"; the server asks to wait {wait:.0f} s"
                    return None
                if not isinstance(error, TransientError):
                    return None
                if self.attempts[url] > self.settings.retries:
                    return None
            self._pause(wait)
            pause *= 2

    def _pause(self, seconds: float) -> None:
        """Sleep, and show processes that wait for the lock that this one is working."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.show_alive()
            time.sleep(min(left, self.settings.timeout / 2, 1.0))
