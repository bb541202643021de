"""Asking whether places still have their files, without fetching them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from brickwork_zoo._find._fsspec_schemes import is_fsspec_url
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import InvalidInputError, OfflineError

from ._fsspec import open_fsspec
from ._http import new_session, open_http
from ._stream import PlaceError

_AT_ONCE = 4  # few enough not to be a burden to a host


@dataclass(frozen=True)
class Link:
    """What a place answered.

    Attributes:
        uri: What it is a place of.
        place: The URL.
        problem: Why it would not give the file; None if it would.
        size: How many bytes the file has there; None where it does not say.
    """

    uri: str
    place: str
    problem: str | None = None
    size: int | None = None


def check_links(uris: Iterable[str], *, timeout: float | None = None) -> Iterator[Link]:
    """Ask every place of every URI for its file, and hang up when the answer comes.

    Args:
        uris: URIs that are no local paths.
        timeout: Seconds without a byte after which a place has stalled.

    Yields:
        One answer for each place, in order.

    Raises:
        OfflineError: If no request may be made.
        ZooError: If one of the URIs cannot be resolved, or is a local path.
    """
    settings = Settings.read(timeout=timeout)
    if settings.offline:
        raise OfflineError("BRICKWORK_OFFLINE forbids to ask any place for its file")
    found = [resolve(uri, settings=settings) for uri in uris]
    for resource in found:
        if resource.local:
            raise InvalidInputError(f"{resource.uri} is a local file: no link", uri=resource.uri)
    pairs = [(resource.uri, place) for resource in found for place in resource.places]
    with new_session() as session, ThreadPoolExecutor(_AT_ONCE) as pool:

        def ask(pair: tuple[str, str]) -> Link:
            uri, place = pair
            try:
                if is_fsspec_url(place):
                    stream = open_fsspec(place)
                else:
                    stream = open_http(session, place, timeout=settings.timeout)
            except PlaceError as error:
                return Link(uri, place, error.reason)
            stream.close()
            return Link(uri, place, size=stream.total)

        yield from pool.map(ask, pairs)
