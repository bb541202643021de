"""URIs: which places may have a file, and what is known of it.

One table maps the beginning of a URI to the function that knows its scheme; the longest beginning
wins. Other packages add rows by entry points of the group ``brickwork.schemes``, whose names are
the beginnings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit
from urllib.request import url2pathname

from . import _catalog, _hub, _remote
from ._mirrors import with_mirrors
from ._names import canonical, hash_in_name, last_component, parse_hash, safe_filename
from ._remote import is_remote
from ._resource import Resource
from ._settings import Settings, expanded
from .errors import InvalidInputError, MissingFileError, UnknownSchemeError

Resolver = Callable[[str], "Resource | str"]
"""Takes a URI; returns what is known of the file, or another URI that stands for it."""

_GROUP = "brickwork.schemes"
_MOST_HOPS = 8  # a scheme that stands for another one, which ...


def resolve(
    uri: str | os.PathLike[str], *, sha256: str | None = None, settings: Settings | None = None
) -> Resource:
    """Find out where a file may be and what is known of it; makes no request.

    Args:
        uri: A path, or ``file://``, ``http(s)://``, ``torchvision://``, ``modelzoo://``,
            ``open-mmlab://``, ``openmmlab://``, ``mmcls://``, ``mmpretrain://``,
            ``hf://owner/repo/file[@revision]``, whatever fsspec opens (``s3://``, ``gs://``), or a
            scheme that somebody registered.
        sha256: The hash that the file must have, or 8 or more digits of its beginning; goes before
            what the catalogue or the file's name say.
        settings: Those to use; read from the environment by default.

    Returns:
        The places in the order in which to try them, and the rest that is known.

    Raises:
        MissingFileError: If a local path has nothing at it.
        UnknownModelError: If the catalogue does not have the name.
        UnknownSchemeError: If nobody knows the scheme.
        InvalidInputError: If the URI or the hash cannot be read.
    """
    text = os.fspath(uri)
    if not isinstance(text, str) or not text:
        raise InvalidInputError(f"{uri!r} is no URI: give a path or a URL", uri=str(uri))
    settings = settings or Settings.read()
    wanted = parse_hash(sha256, text) if sha256 else None
    resource = _follow(text)
    if resource.local:
        return replace(resource, uri=text, sha256=wanted or resource.sha256)
    places = with_mirrors(resource.places, settings.mirrors)
    if not places:
        raise InvalidInputError(
            f"{text} has no place left: the mirrors in force take out {', '.join(resource.places)}",
            uri=text,
        )
    known = wanted or resource.sha256 or hash_in_name(last_component(resource.places[0]))
    return replace(
        resource,
        uri=text,
        places=places,
        sha256=known,
        identity=resource.identity or resource.places[0],
    )


def sibling(resource: Resource, name: str) -> str:
    """Return the path or URI of a file that lies beside another, as a shard beside its index.

    Args:
        resource: The other file, resolved.
        name: A file name, without a folder.
    """
    if resource.local:
        return str(resource.path.parent / name)
    if resource.identity.startswith("hf://"):
        return _hub.sibling(resource.identity, name)
    place = resource.identity if "://" in resource.identity else resource.places[0]
    if is_remote(place):
        return f"{place.rpartition('/')[0]}/{name}"
    return urljoin(place, quote(name))


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


def _follow(uri: str) -> Resource:
    text = uri
    for _ in range(_MOST_HOPS):
        found = _answer(text)
        if isinstance(found, Resource):
            return found
        text = found
    raise InvalidInputError(f"{uri} stands for another URI too many times over", uri=uri)


def _answer(uri: str) -> Resource | str:
    if "://" not in uri or os.path.exists(uri):  # noqa: PTH110  Path() would fold the two slashes
        return _local(uri)
    uri = canonical(uri)
    return _resolver(uri)(uri)


def _resolver(uri: str) -> Resolver:
    plugins = _plugins()
    prefix = max((p for p in {*_RESOLVERS, *plugins} if uri.startswith(p)), key=len, default=None)
    if prefix in _RESOLVERS:
        return _RESOLVERS[prefix]
    if prefix is not None:
        return plugins[prefix]()
    scheme = uri.partition("://")[0]
    if _remote.knows(scheme):
        return _remote.resolve
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


def _local(uri: str) -> Resource:
    path = expanded(uri)
    if not os.path.exists(path):  # noqa: PTH110  pathlib's raises where a name is too long
        hint = _catalog.hint(uri)
        raise MissingFileError(
            f"there is no file {path}"
            + (f" (in {Path.cwd()})" if not path.is_absolute() else "")
            + (f"; {hint}" if hint else ""),
            uri=uri,
        )
    return Resource(uri, (str(path),), path.name, local=True)


def _file(uri: str) -> Resource:
    return _local(path_of(uri))


def path_of(url: str) -> str:
    """Return the path that a ``file://`` URL means.

    Raises:
        InvalidInputError: If it names another machine.
    """
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise InvalidInputError(
            f"{url} names the host {parts.netloc!r}: a local file has three slashes, file:///path",
            uri=url,
        )
    return url2pathname(parts.path) if os.name == "nt" else unquote(parts.path)


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
    "file://": _file,
    "http://": _http,
    "https://": _http,
    "hf://": _hub.resolve,
    **{f"{scheme}://": partial(_catalog.resolve, scheme) for scheme in _catalog.SCHEMES},
}
