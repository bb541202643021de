"""SHA-256 hashes as users write them and as file names contain them."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from brickwork_zoo.errors import InvalidInputError

Sha256: TypeAlias = "str | Literal[False] | None"
"""The expected SHA-256, or its first 8 or more digits; False to skip the check; None for the hash
that the catalog or the file name states."""

# Where an expected hash comes from, if not from the catalog.
FROM_ARGUMENT, FROM_EARLIER_CALL, FROM_NAME = "argument", "earlier call", "file name"

_HASH = re.compile(r"[0-9a-f]{8,64}", re.IGNORECASE)
_HASH_SUFFIX = re.compile(r"-([0-9a-f]{8,64})(?:\.\w+)*\Z", re.IGNORECASE)
# A suffix that looks like a hash and is not: `550e8400-e29b-41d4-a716-446655440000`.
_UUID_TAIL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:\.\w+)*$", re.IGNORECASE)


def hash_in_name(filename: str) -> str | None:
    """Return the first digits of a SHA-256 at the end of a file name, as in ``net-5793a424.pth``.

    A suffix of only decimal digits does not count: it may be a date or a number
    (``model-00100000.pth``).
    """
    match = _HASH_SUFFIX.search(filename)
    if match is None or match[1].isdecimal() or _UUID_TAIL.search(filename):
        return None
    return match[1].lower()


def parse_hash(text: str, uri: str | None = None) -> str:
    """Return a SHA-256, or its first digits, in lower case and without ``sha256:`` before it.

    Raises:
        InvalidInputError: If `text` is anything else.
    """
    digits = text.strip().removeprefix("sha256:")
    if not _HASH.fullmatch(digits):
        raise InvalidInputError(
            f"sha256 must be 64 hexadecimal digits or the first 8 or more of them, got {text!r}"
            + (f" for {uri}" if uri else ""),
            uri=uri,
        )
    return digits.lower()
