"""Mirrors: the candidate URLs that the user's mirror rules derive from a URL."""

from __future__ import annotations

from urllib.parse import urlsplit

from brickwork_zoo._settings import Mirrors

from ._url import normalize_case


def with_mirrors(urls: tuple[str, ...], mirrors: Mirrors) -> tuple[str, ...]:
    """Return the candidate URLs after all mirror rules, each once.

    Args:
        urls: The original URLs.
        mirrors: Pairs of a source (a host, ``host:port`` or URL prefix) and its mirror, which is
            tried first. An empty mirror removes the URLs of that source.
    """
    candidates: dict[str, None] = {}
    for url in urls:
        matches = [(mirror, rest) for source, mirror in mirrors if (rest := _rest(url, source))]
        candidates |= dict.fromkeys(_join(url, mirror, rest) for mirror, rest in matches if mirror)
        if all(mirror for mirror, _ in matches):
            candidates[url] = None
    return tuple(candidates)


def _rest(url: str, source: str) -> str | None:
    """Return the part of `url` after `source`, at least ``/``; None if the rule does not apply."""
    if "://" in source:
        source = normalize_case(source).rstrip("/")
        rest = url.removeprefix(source)
        return rest if rest != url and rest.startswith(("/", "?")) else None
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return None
    if source.lower() not in (parts.netloc, parts.hostname):
        return None
    return parts._replace(scheme="", netloc="").geturl() or "/"


def _join(url: str, mirror: str, rest: str) -> str:
    base = mirror if "://" in mirror else f"{urlsplit(url).scheme}://{mirror}"
    return base.rstrip("/") + rest
