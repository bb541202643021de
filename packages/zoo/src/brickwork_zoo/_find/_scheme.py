"""The table of URI schemes: which function resolves URIs that begin so.

The longest beginning that fits a URI wins. Other packages add rows by entry points of the group
``brickwork.schemes``, whose names are the beginnings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial
from importlib.metadata import entry_points
from urllib.parse import urlsplit

from brickwork_zoo.errors import InvalidInputError, UnknownSchemeError

from . import _catalog, _fsspec_schemes, _hub
from ._filename import safe_filename
from ._local import resolve_file_url
from ._resource import Resource
from ._url import canonical, last_component

Resolver = Callable[[str], "Resource | str"]
"""Takes a URI; returns what is known of the file, or another URI that stands for it."""

_GROUP = "brickwork.schemes"


def register_scheme(
    prefixes: str | Iterable[str], resolver: Resolver, *, force: bool = False
) -> None:
    """Teach the zoo another kind of URI.

    Args:
        prefixes: The beginning of such URIs, ``"zenodo://"`` or ``"https://my.host/models/"``, or
            several; the longest that fits a URI wins.
        resolver: Takes the URI, its scheme in lower case; returns a `Resource`, or another URI that
            stands for it.
        force: Replace what is registered.

    Raises:
        InvalidInputError: If a prefix is registered already and ``force`` is not set.
    """
    for prefix in map(canonical, [prefixes] if isinstance(prefixes, str) else prefixes):
        if prefix in _RESOLVERS and not force:
            raise InvalidInputError(f"{prefix} is registered already; force=True replaces it")
        _RESOLVERS[prefix] = resolver


def schemes() -> list[str]:
    """List the beginnings of URIs that are known, without those that fsspec adds."""
    return sorted({*_RESOLVERS, *_plugins()})


def resolver_of(uri: str) -> Resolver:
    """Return the function that resolves a URI.

    Raises:
        UnknownSchemeError: If no resolver is registered for its scheme.
    """
    plugins = _plugins()
    prefix = max((p for p in {*_RESOLVERS, *plugins} if uri.startswith(p)), key=len, default=None)
    if prefix in _RESOLVERS:
        return _RESOLVERS[prefix]
    if prefix is not None:
        return plugins[prefix]()
    scheme = uri.partition("://")[0]
    if _fsspec_schemes.is_fsspec_scheme(scheme):
        return _fsspec_schemes.resolve
    raise UnknownSchemeError(
        f"cannot read {uri}: nobody knows {scheme}://. There are {', '.join(schemes())}, and what "
        "fsspec opens where it is installed; register_scheme adds one",
        uri=uri,
    )


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


_RESOLVERS: dict[str, Resolver] = {
    "file://": resolve_file_url,
    "http://": _http,
    "https://": _http,
    "hf://": _hub.resolve,
    **{f"{scheme}://": partial(_catalog.resolve, scheme) for scheme in _catalog.SCHEMES},
}
