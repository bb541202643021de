"""Key maps by name."""

from __future__ import annotations

from . import _families as _families  # fills the table
from ._entries._key_map import KeyMap
from ._entries._table import KEY_MAP_TABLE
from .errors import UnknownNameError

KEY_MAPS: tuple[str, ...] = tuple(sorted(KEY_MAP_TABLE))
"""Names of all key maps, ``<library>/<family>``; ``same`` where only a prefix differs."""


def key_map(name: str) -> KeyMap:
    """Return the key map from a library's parameter names to those of this package.

    Args:
        name: One of :data:`KEY_MAPS`, such as ``"torchvision/regnet"``.

    Returns:
        The pairs for ``revise_keys``, as a new list.

    Raises:
        UnknownNameError: There is no such key map.
    """
    if name not in KEY_MAP_TABLE:
        raise UnknownNameError("key map", name, KEY_MAPS)
    return list(KEY_MAP_TABLE[name])
