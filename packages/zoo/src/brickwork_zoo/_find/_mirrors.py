"""Rewriting of places: what the user's mirrors make of a URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from brickwork_zoo._settings import Mirrors

from ._url import canonical


def with_mirrors(places: tuple[str, ...], mirrors: Mirrors) -> tuple[str, ...]:
    """Put each place's mirrors before it, or take a place out.

    Args:
        places: URLs.
        mirrors: Pairs of a host, ``host:port`` or beginning of a URL, and what takes its place:
            the same, or empty to never ask there.

    Returns:
        The places to try in order, each once.
    """
    found: dict[str, None] = {}
    for place in places:
        hits = [(target, rest) for source, target in mirrors if (rest := _rest(place, source))]
        found |= dict.fromkeys(_join(place, target, rest) for target, rest in hits if target)
        if all(target for target, _ in hits):
            found[place] = None
    return tuple(found)


def _rest(place: str, source: str) -> str | None:
    """Return what follows ``source`` in a place that it stands for, at least ``/``."""
    if "://" in source:
        source = canonical(source).rstrip("/")
        rest = place.removeprefix(source)
        return rest if rest != place and rest.startswith(("/", "?")) else None
    url = urlsplit(place)
    if url.scheme not in ("http", "https") or source.lower() not in (url.netloc, url.hostname):
        return None
    return url._replace(scheme="", netloc="").geturl() or "/"


def _join(place: str, target: str, rest: str) -> str:
    base = target if "://" in target else f"{urlsplit(place).scheme}://{target}"
    return base.rstrip("/") + rest
