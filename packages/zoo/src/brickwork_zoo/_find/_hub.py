"""``hf://owner/repo/file[@revision]``: files on the Hugging Face Hub, or what stands in for it."""

from __future__ import annotations

import os
import re
from urllib.parse import quote, urlsplit

from brickwork_zoo.errors import InvalidInputError

from ._filename import safe_filename
from ._resource import Resource

_FORM = re.compile(
    r"hf://(?P<owner>[^/@]+)/(?P<repo>[^/@]+)(?:@(?P<early>[^/]+))?/(?P<file>[^@]+)(?:@(?P<late>.+))?"
)
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')


def endpoint() -> str:
    """Return where the hub is: ``HF_ENDPOINT``, by default the public one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def resolve(uri: str) -> Resource:
    """Resolve ``hf://owner/repo/file[@revision]``; the revision may follow the repo as well."""
    form = _FORM.fullmatch(uri)
    if form is None:
        raise InvalidInputError(
            f"cannot read {uri}: write hf://owner/repo/file, with @revision after it for another "
            "than main",
            uri=uri,
        )
    owner, repo, file = form["owner"], form["repo"], form["file"]
    revision = form["late"] or form["early"] or "main"
    url = f"{endpoint()}/{owner}/{repo}/resolve/{quote(revision, safe='')}/{quote(file)}"
    name = safe_filename(file.rsplit("/", 1)[-1])
    return Resource(uri, (url,), name, identity=f"hf://{owner}/{repo}/{file}@{revision}")


def sibling(uri: str, name: str) -> str:
    """Return the URI of a file beside another, of the same revision.

    Args:
        uri: What :func:`resolve` gives as an identity.
        name: The other file's name.
    """
    path, _, revision = uri.partition("@")
    return f"{path.rpartition('/')[0]}/{name}@{revision}"


def token_for(url: str) -> str | None:
    """Return the token to send to a URL: ``HF_TOKEN``, and only to the hub itself."""
    hub, asked = urlsplit(endpoint()), urlsplit(url)
    if (hub.scheme, hub.netloc) != (asked.scheme, asked.netloc):
        return None
    return os.environ.get("HF_TOKEN") or None


def hash_in_tag(tag: str | None) -> str | None:
    """Return the SHA-256 that the hub gives as the entity tag of a large file."""
    match = _SHA256.fullmatch(tag or "")
    return match[1] if match else None
