"""An attempt to download a file from one URL into its cache entry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from brickwork_zoo._find._fsspec_schemes import is_fsspec_url
from brickwork_zoo._find._resource import Resource
from brickwork_zoo._redact import redact_credentials

from ._attempt_errors import RefusedError, RestartError, TransientError, WrongHashError
from ._cache import Cache
from ._cache_entry import Entry
from ._fsspec import open_fsspec
from ._http import open_http
from ._partial import Origin, PartialFile, ResumableFile, remove_abandoned, take_over
from ._progress import Progress
from ._stream import Stream
from ._transfer import Hasher, copy_start, receive

if TYPE_CHECKING:
    import requests


@dataclass(frozen=True)
class Attempt:
    """An attempt to download a file into its cache entry, from any of its URLs."""

    resource: Resource
    cache: Cache
    session: requests.Session
    progress: Progress
    timeout: float
    verify: bool  # whether to check the hash that the server sends

    @property
    def entry(self) -> Entry:
        """The cache entry of the file."""
        return self.cache.entry(self.resource)

    def run(self, url: str) -> Path:
        """Resume a partial file if possible, otherwise start from scratch; return the path.

        Raises:
            AttemptError: A subclass that tells whether and when to try again.
        """
        partial = take_over(self.entry.folder, self.entry.filename)
        if partial is not None:
            if partial.can_resume_from(redact_credentials(url), self.resource.sha256):
                try:
                    return self._resume(url, partial)
                except (RestartError, WrongHashError):
                    pass
                finally:
                    partial.release()
            partial.remove()
        try:
            stream = self._open(url, 0, None)
            return self._receive(url, stream, None)
        except RestartError as error:
            raise RefusedError(error.reason) from error

    def _resume(self, url: str, partial: ResumableFile) -> Path:
        """Request the rest of a partial file."""
        origin = partial.origin
        is_same_url = origin is not None and origin.url == redact_credentials(url)
        total = origin.total if origin is not None else None
        # For a complete partial file, request the last byte again: only a response shows whether
        # the server still has the same version.
        start = partial.size if total is None else min(partial.size, total - 1)
        validator = origin.validator if origin is not None and is_same_url else None
        stream = self._open(url, start, validator)
        if stream.start and None not in (total, stream.total) and total != stream.total:
            stream.close()
            raise RestartError("the file on the server has another size now")
        return self._receive(url, stream, partial)

    def _open(self, url: str, start: int, validator: str | None) -> Stream:
        if is_fsspec_url(url):
            return open_fsspec(url, start, validator)
        return open_http(self.session, url, start=start, validator=validator, timeout=self.timeout)

    def _receive(self, url: str, stream: Stream, resumed: ResumableFile | None) -> Path:
        """Write a stream to a partial file, verify it and move it into place."""
        expected = self.resource.sha256 or (stream.sha256 if self.verify else None)
        filename = self.entry.filename
        origin = Origin(redact_credentials(url), stream.validator, stream.total)
        partial = PartialFile(self.entry.folder, filename, origin)
        is_resumable = False
        try:
            with Hasher() as hasher:
                if resumed is not None:
                    copy_start(resumed.path, stream.start, partial, hasher)
                    resumed.remove()
                self.progress.begin(partial.size, stream.total)
                is_resumable = bool(self.resource.sha256 or stream.validator)
                allow_html = filename.lower().endswith((".html", ".htm"))
                receive(stream, partial, hasher, self.progress, allow_html=allow_html)
                digest = hasher.digest()
            if expected is not None and not digest.startswith(expected):
                raise WrongHashError(
                    f"the file has SHA-256 {digest}, expected {expected}",
                    expected=expected,
                    actual=digest,
                )
            return self._store(partial, digest, url)
        except RefusedError:
            is_resumable = False
            raise
        finally:
            stream.close()
            if partial.path.exists():
                partial.keep() if is_resumable and partial.size else partial.remove()

    def _store(self, partial: PartialFile, digest: str, url: str) -> Path:
        """Move a verified file into place and record its hash."""
        target = self.entry.target
        try:
            partial.move_to(target)
        except FileNotFoundError as error:
            # The locks have no effect here: another process has finished and removed this file.
            path = self.cache.find(self.resource)
            if path is None:
                raise TransientError("another process removed the partial file") from error
            return path
        self.entry.write_record(target, digest, uri=self.resource.uri, url=url)
        self.entry.remove_corrupt()
        remove_abandoned(self.entry.folder)
        return target
