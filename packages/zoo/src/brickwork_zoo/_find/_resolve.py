"""`resolve`: from a URI to the URLs that may have the file, and what is known of it."""

from __future__ import annotations

import os
from dataclasses import replace
from urllib.parse import quote, urljoin

from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import InvalidInputError

from . import _hub
from ._file_hash import hash_in_name, parse_hash
from ._filename import safe_filename
from ._fsspec_schemes import is_fsspec_url
from ._mirrors import with_mirrors
from ._resource import Reader, Resource
from ._scheme import resolver_of, resolver_of_paths
from ._url import canonical, last_component

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
    if resource.local or resource.reader is not None:
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
    if is_fsspec_url(place):
        return f"{place.rpartition('/')[0]}/{name}"
    return urljoin(place, quote(name))


def _follow(uri: str) -> Resource:
    text = uri
    for _ in range(_MOST_HOPS):
        found = _answer(text)
        if isinstance(found, Resource):
            return found
        if not isinstance(found, str):
            return Resource(uri, (), safe_filename(last_component(uri)), reader=found)
        text = found
    raise InvalidInputError(f"{uri} stands for another URI too many times over", uri=uri)


def _answer(uri: str) -> Resource | str | Reader:
    if "://" not in uri or os.path.exists(uri):  # noqa: PTH110  Path() would fold the two slashes
        return resolver_of_paths()(uri)
    uri = canonical(uri)
    return resolver_of(uri)(uri)
