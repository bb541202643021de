"""`check_links`: checks that URLs still have their files, without downloading them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from brickwork_zoo._find._fsspec_schemes import is_fsspec_url
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import InvalidInputError, OfflineError

from ._attempt_errors import AttemptError
from ._fsspec import open_fsspec
from ._http import new_session, open_http

_CONCURRENT = 4  # concurrent requests; few, to limit the load on a host


@dataclass(frozen=True)
class Link:
    """The state of one candidate URL of a file.

    Attributes:
        uri: The URI of the file.
        url: The URL that was requested. Credentials in both are redacted.
        problem: Why the URL does not have the file; None if it does.
        size: Size of the file in bytes; None if unknown.
    """

    uri: str
    url: str
    problem: str | None = None
    size: int | None = None


def check_links(uris: Iterable[str], *, timeout: float | None = None) -> Iterator[Link]:
    """Request every URL of every URI, and close each connection when the response arrives.

    Args:
        uris: URIs; local paths are not allowed.
        timeout: Seconds without a byte after which a request fails.

    Yields:
        One link for each URL, in order.

    Raises:
        OfflineError: If offline mode forbids requests.
        ZooError: If a URI cannot be resolved or is a local path.
    """
    settings = Settings.read(timeout=timeout)
    if settings.offline:
        raise OfflineError(
            "cannot check links: offline mode forbids requests; unset BRICKWORK_OFFLINE"
        )
    resources = [resolve(uri, settings=settings) for uri in uris]
    for resource in resources:
        if resource.path is not None:
            raise InvalidInputError(
                f"cannot check {resource.uri}: it is a local file, not a link", uri=resource.uri
            )
    with new_session() as session, ThreadPoolExecutor(_CONCURRENT) as pool:

        def check(pair: tuple[str, str]) -> Link:
            uri, url = pair
            shown = redact_credentials(uri), redact_credentials(url)
            try:
                if is_fsspec_url(url):
                    stream = open_fsspec(url)
                else:
                    stream = open_http(session, url, timeout=settings.timeout)
            except AttemptError as error:
                return Link(*shown, error.reason)
            stream.close()
            return Link(*shown, size=stream.total)

        pairs = [(resource.uri, url) for resource in resources for url in resource.urls]
        yield from pool.map(check, pairs)
