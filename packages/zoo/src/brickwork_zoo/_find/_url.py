"""URLs as text: normalized, without credentials, and the file name at their end."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_HOST = re.compile(r"https?://(?:[^/?#]*@)?([^/?#]*)")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*(?=@)")


def canonical(uri: str) -> str:
    """Write a URI's scheme, and the name of a web server, in lower case."""
    scheme, sign, rest = uri.partition("://")
    uri = f"{scheme.lower()}{sign}{rest}" if sign else uri
    host = _HOST.match(uri)
    return uri[: host.start(1)] + host[1].lower() + uri[host.end(1) :] if host else uri


def shown(url: str) -> str:
    """Return a URL as it may stand in a log: without a password."""
    return _PASSWORD.sub(r"\1:***", url)


def last_component(url: str) -> str:
    """Return the last part of a URL's path that names something, percent-decoded."""
    parts = urlsplit(url).path.split("/")
    names = [unquote(part) for part in parts]
    return next((name for name in reversed(names) if name.strip(". ")), "")
