"""``hf://owner/repo/file[@revision]``: files on the Hugging Face Hub or a compatible server."""

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
_TOKEN = re.compile(r"[!-~]+")  # printable ASCII without spaces
_SHA256 = re.compile(r'"?([0-9a-f]{64})"?')


def endpoint() -> str:
    """Return the URL of the hub: ``HF_ENDPOINT``, by default the public one."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def resolve(uri: str) -> Resource:
    """Return the resource of ``hf://owner/repo/file[@revision]``.

    The revision may also follow the repository: ``hf://owner/repo@revision/file``.

    Raises:
        InvalidInputError: If the URI has another form.
    """
    form = _FORM.fullmatch(uri)
    if form is None:
        raise InvalidInputError(
            f"invalid hub URI {uri}: expected hf://owner/repo/file or "
            "hf://owner/repo/file@revision",
            uri=uri,
        )
    owner, repo, file = form["owner"], form["repo"], form["file"]
    revision = form["late"] or form["early"] or "main"
    url = f"{endpoint()}/{owner}/{repo}/resolve/{quote(revision, safe='')}/{quote(file)}"
    filename = safe_filename(file.rsplit("/", 1)[-1])
    return Resource(uri, (url,), filename, identity=f"hf://{owner}/{repo}/{file}@{revision}")


def sibling(identity: str, filename: str) -> str:
    """Return the URI of another file in the folder and revision of a `Resource.identity`."""
    path, _, revision = identity.partition("@")
    return f"{path.rpartition('/')[0]}/{filename}@{revision}"


def is_hub_url(url: str) -> bool:
    """Return whether a URL belongs to the hub itself, rather than to a host it redirects to."""
    hub, requested = urlsplit(endpoint()), urlsplit(url)
    return (hub.scheme, hub.netloc) == (requested.scheme, requested.netloc)


def token_for(url: str) -> str | None:
    """Return the access token to send to a URL: ``HF_TOKEN``, and only to the hub itself.

    Raises:
        InvalidInputError: If the token has characters that no HTTP header can have.
    """
    token = os.environ.get("HF_TOKEN", "").strip()  # one read from a file ends with a newline
    if not token or not is_hub_url(url):
        return None
    if not _TOKEN.fullmatch(token):
        raise InvalidInputError(
            "HF_TOKEN must not contain spaces, control characters or non-ASCII characters"
        )
    return token


def hash_in_tag(tag: str | None) -> str | None:
    """Return the SHA-256 in the entity tag that the hub sends for a large file, or None."""
    match = _SHA256.fullmatch(tag or "")
    return match[1] if match else None
