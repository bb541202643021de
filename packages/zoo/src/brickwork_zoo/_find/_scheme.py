"""The table of URI schemes: a URI prefix and the function that resolves URIs with that prefix.

The longest matching prefix wins. Installed packages add rows through entry points of the group
``brickwork.schemes``, named after their prefix.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from functools import cache, partial
from importlib.metadata import entry_points
from typing import TypeAlias
from urllib.parse import urlsplit

from brickwork_zoo.errors import InvalidInputError, TakenSchemeError, UnknownSchemeError

from . import _catalog, _fsspec_schemes, _hub
from ._filename import safe_filename
from ._local import resolve_file_url, resolve_path
from ._resource import Reader, Resource
from ._url import last_component, normalize_case

Prefix: TypeAlias = "str | re.Pattern[str]"
"""The beginning of URIs: text, or a regular expression that is matched at their beginning."""

Resolver = Callable[[str], "Resource | str | Reader"]
"""Takes a URI; returns its `Resource`, another URI in its place, or a function that reads it."""

_GROUP = "brickwork.schemes"
_PATHS = ""  # the prefix of paths


def register_scheme(
    prefixes: Prefix | Iterable[Prefix], resolver: Resolver, *, force: bool = False
) -> None:
    """Register a resolver for URIs with a prefix.

    Args:
        prefixes: One or more URI prefixes, such as ``"zenodo://"`` or
            ``"https://my.host/models/"``; the longest prefix that matches a URI wins. ``""``
            stands for paths.
        resolver: Takes the URI, its scheme in lower case; returns a `Resource`, another URI in its
            place, or a function ``(uri, map_location) -> checkpoint`` that reads the checkpoint.
        force: Replace a registered resolver.

    Raises:
        TakenSchemeError: If a prefix is registered already and `force` is not set.
    """
    listed = [prefixes] if isinstance(prefixes, str | re.Pattern) else list(prefixes)
    keys = [normalize_case(prefix) if isinstance(prefix, str) else prefix for prefix in listed]
    taken = [key for key in keys if key in _RESOLVERS]
    if taken and not force:
        raise TakenSchemeError(
            f"URI prefix {_text(taken[0])!r} is registered already; pass force=True to replace it"
        )
    _RESOLVERS.update(dict.fromkeys(keys, resolver))


def known_prefixes() -> list[str]:
    """List the registered URI prefixes, those of installed packages included."""
    return sorted({*map(_text, _RESOLVERS), *_plugins()} - {_PATHS})


def resolver_of_paths() -> Resolver:
    """Return the function that resolves paths."""
    return _RESOLVERS[_PATHS]


def resolver_of(uri: str) -> Resolver:
    """Return the function that resolves a URI.

    Raises:
        UnknownSchemeError: If no resolver is registered for the URI.
    """
    plugins = _plugins()
    matching = [prefix for prefix in {*_RESOLVERS, *plugins} if _matches(prefix, uri)]
    prefix = max(matching, key=lambda prefix: len(_text(prefix)), default=None)
    if prefix in _RESOLVERS:
        return _RESOLVERS[prefix]
    if isinstance(prefix, str):
        return plugins[prefix]()
    scheme, _, name = uri.partition("://")
    if _fsspec_schemes.is_fsspec_scheme(scheme):
        return _fsspec_schemes.resolve
    raise UnknownSchemeError(
        f"unknown URI scheme '{scheme}://' in {uri}; {_suggestion(scheme, name)}known schemes: "
        f"{', '.join(known_prefixes())}, and those of fsspec if it is installed; add one with "
        "brickwork_zoo.register_scheme",
        uri=uri,
    )


def _suggestion(scheme: str, name: str) -> str:
    """Return a suggestion of known URIs, as part of the error for an unknown scheme."""
    schemes = [prefix.partition("://")[0] for prefix in known_prefixes()]
    close = get_close_matches(scheme, schemes, n=1, cutoff=0.8)
    uris = [f"{close[0]}://{name}"] if close else _catalog.uris_named(name)
    return f"did you mean {' or '.join(uris)}? " if uris else ""


def _matches(prefix: Prefix, uri: str) -> bool:
    if isinstance(prefix, re.Pattern):
        return prefix.match(uri) is not None
    return prefix != _PATHS and uri.startswith(prefix)


def _text(prefix: Prefix) -> str:
    return prefix if isinstance(prefix, str) else prefix.pattern


@cache
def _plugins() -> dict[str, Callable[[], Resolver]]:
    """Map the prefixes that installed packages add to functions that import their resolvers."""
    return {
        normalize_case(point.name if "://" in point.name else f"{point.name}://"): point.load
        for point in entry_points(group=_GROUP)
    }


def _resolve_http(uri: str) -> Resource:
    try:
        host = urlsplit(uri).hostname
    except ValueError as error:
        raise InvalidInputError(f"invalid URL {uri}: {error}", uri=uri) from error
    if not host:
        raise InvalidInputError(f"invalid URL {uri}: it has no host", uri=uri)
    # A fragment is never sent to a server, so URLs that differ only in it are the same file.
    url = urlsplit(uri)._replace(fragment="").geturl()
    return Resource(uri, (url,), safe_filename(last_component(url)))


_RESOLVERS: dict[Prefix, Resolver] = {
    _PATHS: resolve_path,
    "file://": resolve_file_url,
    "http://": _resolve_http,
    "https://": _resolve_http,
    "hf://": _hub.resolve,
    **{f"{scheme}://": partial(_catalog.resolve, scheme) for scheme in _catalog.SCHEMES},
}
