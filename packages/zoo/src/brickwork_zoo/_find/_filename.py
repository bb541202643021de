"""File names that every file system accepts."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_BYTES = 150  # file systems allow 255; the names of partial files are longer
_HEAD_BYTES, _TAIL_BYTES = 60, 85  # the tail has room for a full hash and an extension

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.IGNORECASE)  # on Windows


def safe_filename(name: str) -> str:
    """Return a file name that is valid everywhere and cannot leave its folder.

    Separators, control characters and characters that Windows forbids become ``_``, and so does a
    leading dot, because the cache uses such names itself. A long name loses its middle; the hash
    and the extension at its end stay. The result has 1 to 150 bytes.
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
