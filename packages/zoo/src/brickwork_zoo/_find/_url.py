"""URLs as text: normalized case, and the file name at their end."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

_HOST = re.compile(r"https?://(?:[^/?#]*@)?([^/?#]*)")


def normalize_case(uri: str) -> str:
    """Return a URI with its scheme, and the host of a web server, in lower case."""
    scheme, separator, rest = uri.partition("://")
    uri = f"{scheme.lower()}{separator}{rest}" if separator else uri
    host = _HOST.match(uri)
    return uri[: host.start(1)] + host[1].lower() + uri[host.end(1) :] if host else uri


def last_component(url: str) -> str:
    """Return the last component of a URL's path that is a file name, percent-decoded."""
    names = [unquote(part) for part in urlsplit(url).path.split("/")]
    return next((name for name in reversed(names) if name.strip(". ")), "")
