"""SHA-256 hashes: as users write them, and as file names end with them."""

from __future__ import annotations

import re

from brickwork_zoo.errors import InvalidInputError

_HASH = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)
_HASH_SUFFIX = re.compile(r"-([0-9a-f]{8,64})(?:\.\w+)*\Z", re.IGNORECASE)
# Two things that look like such a suffix and are none: `model-20210831.pth` and
# `550e8400-e29b-41d4-a716-446655440000`.
_DATE = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_UUID_TAIL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)*$", re.IGNORECASE)


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
