"""The table of URI schemes: prefix of a URI -> function that resolves it.

The longest prefix that matches a URI wins. Other packages add rows by entry points of the group
``brickwork.schemes``, whose names are the prefixes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TypeAlias
from urllib.parse import urlsplit

from brickwork_zoo.errors import InvalidInputError, TakenSchemeError, UnknownSchemeError

from . import _catalog, _fsspec_schemes, _hub
from ._filename import safe_filename
from ._local import resolve_file_url, resolve_path
from ._resource import Reader, Resource
from ._url import canonical, last_component

Prefix: TypeAlias = "str | re.Pattern[str]"
"""The beginning of URIs: text, or a regular expression that is matched at their beginning."""

Resolver = Callable[[str], "Resource | str | Reader"]
"""Takes a URI; returns a resource, another URI in its place, or a function that reads it."""

_GROUP = "brickwork.schemes"
_PATHS = ""  # the prefix of paths


def register_scheme(
    prefixes: Prefix | Iterable[Prefix], resolver: Resolver, *, force: bool = False
) -> None:
    """Register a function that resolves URIs.

    Args:
        prefixes: Prefix of such URIs, ``"zenodo://"`` or ``"https://my.host/models/"``, or several;
            the longest one that matches a URI wins. ``""`` stands for paths.
        resolver: Takes the URI, its scheme in lower case; returns a `Resource`, another URI in its
            place, or a function ``(uri, map_location) -> checkpoint`` that reads the checkpoint.
        force: Replace what is registered.

    Raises:
        TakenSchemeError: A prefix is registered already and ``force`` is not set.
    """
    listed = [prefixes] if isinstance(prefixes, str | re.Pattern) else list(prefixes)
    keys = [canonical(prefix) if isinstance(prefix, str) else prefix for prefix in listed]
    taken = [key for key in keys if key in _RESOLVERS]
    if taken and not force:
        raise TakenSchemeError(
            f"the prefix {_text(taken[0])!r} is registered already; pass force=True to replace it"
        )
    _RESOLVERS.update(dict.fromkeys(keys, resolver))


def schemes() -> list[str]:
    """List the prefixes of URIs that are known, without those that fsspec adds."""
    return sorted({*map(_text, _RESOLVERS), *_plugins()} - {_PATHS})


def resolver_of_paths() -> Resolver:
    """Return the function that resolves paths."""
    return _RESOLVERS[_PATHS]


def resolver_of(uri: str) -> Resolver:
    """Return the function that resolves a URI.

    Raises:
        UnknownSchemeError: If no resolver is registered for its scheme.
    """
    plugins = _plugins()
    matching = [prefix for prefix in {*_RESOLVERS, *plugins} if _matches(prefix, uri)]
    prefix = max(matching, key=lambda prefix: len(_text(prefix)), default=None)
    if prefix in _RESOLVERS:
        return _RESOLVERS[prefix]
    if isinstance(prefix, str):
        return plugins[prefix]()
    scheme = uri.partition("://")[0]
    if _fsspec_schemes.is_fsspec_scheme(scheme):
        return _fsspec_schemes.resolve
    raise UnknownSchemeError(
        f"unknown URI scheme '{scheme}://' in {uri}; known are {', '.join(schemes())}, and what "
        "fsspec opens where it is installed; register_scheme adds one",
        uri=uri,
    )


def _matches(prefix: Prefix, uri: str) -> bool:
    if isinstance(prefix, re.Pattern):
        return prefix.match(uri) is not None
    return prefix != _PATHS and uri.startswith(prefix)


def _text(prefix: Prefix) -> str:
    return prefix if isinstance(prefix, str) else prefix.pattern


@cache
def _plugins() -> dict[str, Callable[[], Resolver]]:
    """Map the beginnings that installed packages add to what loads their resolvers."""
    return {
        canonical(point.name if "://" in point.name else f"{point.name}://"): point.load
        for point in entry_points(group=_GROUP)
    }


def _http(uri: str) -> Resource:
    try:
        host = urlsplit(uri).hostname
    except ValueError as error:
        raise InvalidInputError(f"{uri} is no URL: {error}", uri=uri) from error
    if not host:
        raise InvalidInputError(f"{uri} is no URL: it names no host", uri=uri)
    # A fragment never reaches a server, so two URLs that differ in it are one file.
    url = urlsplit(uri)._replace(fragment="").geturl()
    return Resource(uri, (url,), safe_filename(last_component(url)))


_RESOLVERS: dict[Prefix, Resolver] = {
    _PATHS: resolve_path,
    "file://": resolve_file_url,
    "http://": _http,
    "https://": _http,
    "hf://": _hub.resolve,
    **{f"{scheme}://": partial(_catalog.resolve, scheme) for scheme in _catalog.SCHEMES},
}
