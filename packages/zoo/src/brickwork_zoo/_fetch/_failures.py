"""What a download says when it has failed: every place, and why."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from brickwork_zoo._find._resource import Resource
from brickwork_zoo._find._url import shown
from brickwork_zoo.errors import DownloadError, Failure, HashMismatchError, OfflineError

from ._stream import PlaceError, UntrustedError, WrongHashError


def offline(resource: Resource, path: Path) -> OfflineError:
    """Return the error of a file that would have to be fetched and must not be.

    Args:
        resource: What was asked for.
        path: Where the file can be put by hand.
    """
    uri, places = shown(resource.uri), [shown(place) for place in resource.places]
    lines = "".join(f"\n  {place}" for place in places)
    return OfflineError(
        f"{uri} is not in the cache and BRICKWORK_OFFLINE forbids requests. Fetch it where there "
        f"is a network, from{lines}\nand put it at {path}",
        uri=uri,
        failures=[Failure(place, "offline", attempts=0) for place in places],
        path=path,
    )


def failed(
    resource: Resource, errors: Mapping[str, PlaceError], asked: Mapping[str, int], *, kept: bool
) -> DownloadError:
    """Return the error of a file that no place gave.

    Args:
        resource: What was asked for.
        errors: Place -> why it did not give it.
        asked: Place -> how often it was asked.
        kept: Whether a partial file is left to go on with.
    """
    uri = shown(resource.uri)
    failures = [
        Failure(shown(place), error.reason, error.status, asked[place])
        for place, error in errors.items()
    ]
    lines = "".join(f"\n  {failure}" for failure in failures)
    wrong = [error for error in errors.values() if isinstance(error, WrongHashError)]
    if len(wrong) == len(failures):
        return HashMismatchError(
            f"{uri} is not the file that was expected; tried{lines}\nIf you know that this one is "
            "right, pass its sha256.",
            uri=uri,
            failures=failures,
            expected=wrong[-1].expected,
            actual=wrong[-1].actual,
        )
    hints = "\nWhat has come is kept; the next call goes on from there." if kept else ""
    if any(isinstance(error, UntrustedError) for error in errors.values()):
        hints += (
            "\nIf a certificate is of an authority that you trust, name the authority's file in "
            "REQUESTS_CA_BUNDLE or SSL_CERT_FILE; or give a mirror in BRICKWORK_MIRRORS."
        )
    return DownloadError(
        f"could not download {uri}; tried{lines}{hints}", uri=uri, failures=failures
    )
