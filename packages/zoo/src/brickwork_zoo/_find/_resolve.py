"""`resolve`: from a URI to its candidate URLs and what is known about the file."""

from __future__ import annotations

import os
from dataclasses import replace
from urllib.parse import quote, urljoin

from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import InvalidInputError

from . import _hub
from ._file_hash import FROM_ARGUMENT, FROM_NAME, Sha256, hash_in_name, parse_hash
from ._filename import safe_filename
from ._fsspec_schemes import is_fsspec_url
from ._mirrors import with_mirrors
from ._resource import Reader, Resource
from ._scheme import resolver_of, resolver_of_paths
from ._url import last_component, normalize_case

_MAX_HOPS = 8  # maximum number of resolvers in a row that return another URI


def resolve(
    uri: str | os.PathLike[str], *, sha256: Sha256 = None, settings: Settings | None = None
) -> Resource:
    """Return the candidate URLs of a file and what is known about it, without any request.

    Args:
        uri: A path, or a URI that starts with ``file://``, ``http(s)://``, ``torchvision://``,
            ``modelzoo://``, ``open-mmlab://``, ``openmmlab://``, ``mmcls://``,
            ``mmpretrain://``, ``hf://`` (``hf://owner/repo/file[@revision]``), a scheme of fsspec
            (``s3://``, ``gs://``), or a registered scheme.
        sha256: The expected SHA-256, or its first 8 or more digits; overrides the hash in the
            catalog or the file name. False for no expected hash.
        settings: The settings to use; read from the environment by default.

    Raises:
        MissingFileError: If a local path does not exist.
        UnknownModelError: If the catalog does not contain the name.
        UnknownSchemeError: If no resolver is registered for the scheme.
        InvalidInputError: If the URI or the hash is invalid.
    """
    text = os.fspath(uri)
    if not isinstance(text, str) or not text:
        raise InvalidInputError(f"uri must be a path or URI, got {uri!r}", uri=str(uri))
    settings = settings or Settings.read()
    resource = replace(_follow(text), uri=text)
    if resource.path is None and resource.reader is None:
        resource = _with_urls(resource, settings)
    if sha256 is False:
        return replace(resource, sha256=None, sha256_source=None)
    if sha256 is None:
        return resource
    return replace(resource, sha256=parse_hash(sha256, text), sha256_source=FROM_ARGUMENT)


def _with_urls(resource: Resource, settings: Settings) -> Resource:
    """Apply the mirrors, and take the hash from the file name if the catalog has none."""
    first_url = resource.urls[0]
    urls = with_mirrors(resource.urls, settings.mirrors)
    if not urls:
        raise InvalidInputError(
            f"no URL left for {resource.uri}: the mirror rules remove {', '.join(resource.urls)}; "
            "check BRICKWORK_MIRRORS",
            uri=resource.uri,
        )
    resource = replace(resource, urls=urls, identity=resource.identity or first_url)
    name_hash = hash_in_name(last_component(first_url))
    if resource.sha256 is None and name_hash is not None:
        return replace(resource, sha256=name_hash, sha256_source=FROM_NAME)
    return resource


def sibling(resource: Resource, filename: str) -> str:
    """Return the path or URI of another file in the same folder, such as a shard of an index."""
    if resource.path is not None:
        return str(resource.path.parent / filename)
    if resource.identity.startswith("hf://"):
        return _hub.sibling(resource.identity, filename)
    url = resource.identity if "://" in resource.identity else resource.urls[0]
    if is_fsspec_url(url):
        return f"{url.rpartition('/')[0]}/{filename}"
    return urljoin(url, quote(filename))


def _follow(uri: str) -> Resource:
    target = uri
    for _ in range(_MAX_HOPS):
        answer = _resolve_once(target)
        if isinstance(answer, Resource):
            return answer
        if not isinstance(answer, str):
            return Resource(uri, (), safe_filename(uri.rpartition("/")[2]), reader=answer)
        target = answer
    raise InvalidInputError(
        f"cannot resolve {uri}: more than {_MAX_HOPS} URIs in a row stand for another one "
        f"(the last is {target}); check the registered schemes for a cycle",
        uri=uri,
    )


def _resolve_once(uri: str) -> Resource | str | Reader:
    if "://" not in uri or os.path.exists(uri):  # noqa: PTH110  Path() would fold the two slashes
        return resolver_of_paths()(uri)
    uri = normalize_case(uri)
    return resolver_of(uri)(uri)
