"""File names: the hash that one carries, and one that every file system takes."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote, urlsplit

from .errors import InvalidInputError

MAX_NAME_BYTES = 150  # of the 255 that file systems take: the rest is for what partial files add
_HEAD_BYTES, _TAIL_BYTES = 60, 85  # the tail holds a full hash and an extension

_HASH = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)
_HASH_SUFFIX = re.compile(r"-([0-9a-f]{8,64})(?:\.\w+)*\Z", re.IGNORECASE)
# Two things that look like such a suffix and are none: `model-20210831.pth` and
# `550e8400-e29b-41d4-a716-446655440000`.
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_UUID_TAIL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)*$", re.IGNORECASE)
_HOST = re.compile(r"https?://(?:[^/?#]*@)?([^/?#]*)")
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^/@]*(?=@)")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)  # on Windows


def hash_in_name(name: str) -> str | None:
    """Return the beginning of a SHA-256 that a file's name ends with, as in ``net-57934424.pth``.

    Args:
        name: The file's name.

    Returns:
        8 to 64 hexadecimal digits in lower case, or None.
    """
    match = _HASH_SUFFIX.search(name)
    if match is None or _DATE.fullmatch(match[1]) or _UUID_TAIL.search(name):
        return None
    return match[1].lower()


def parse_hash(text: str, uri: str | None = None) -> str:
    """Return a SHA-256, or the beginning of one, in lower case.

    Args:
        text: 8 to 64 hexadecimal digits, with or without ``sha256:`` before them.
        uri: What it is the hash of, for the error.

    Raises:
        InvalidInputError: If it is anything else.
    """
    digits = text.strip().removeprefix("sha256:")
    if not _HASH.fullmatch(digits):
        raise InvalidInputError(
            f"sha256={text!r} is no SHA-256{f' of {uri}' if uri else ''}: give all 64 hexadecimal "
            "digits, or the first 8 or more",
            uri=uri,
        )
    return digits.lower()


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


def safe_filename(name: str) -> str:
    """Make a file name that stays in its folder, whatever it was.

    Separators, control characters and what Windows forbids become ``_``; a leading dot too, since
    the cache keeps its own files under such names; a long name loses its middle, never the hash
    and extension at its end.

    Args:
        name: Any text.

    Returns:
        A name of 1 to 150 bytes.
    """
    name = name.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    name = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip().rstrip(".")
    if name.startswith(".") or _RESERVED.match(name):
        name = f"_{name.lstrip('.')}"
    data = name.encode()
    if len(data) > MAX_NAME_BYTES:
        head = data[:_HEAD_BYTES].decode("utf-8", "ignore")
        tail = data[-_TAIL_BYTES:].decode("utf-8", "ignore")
        name = f"{head}...{tail}".rstrip(". ")
    return name or "file"
