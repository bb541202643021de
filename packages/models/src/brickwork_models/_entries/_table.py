"""Tables of all entries and key maps, to which each family adds its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ._entry import Entry
from ._key_map import SHARED_KEY_MAPS, KeyMap

ENTRIES: dict[str, Entry] = {}
"""Every model by its name."""

KEY_MAP_TABLE: dict[str, KeyMap] = dict(SHARED_KEY_MAPS)
"""Every key map by its name, ``<library>/<family>``."""


def register_family(entries: Iterable[Entry], key_maps: Mapping[str, KeyMap] | None = None) -> None:
    """Add a family to the tables.

    Args:
        entries: Models of the family.
        key_maps: Key maps that its entries name, beyond the shared ones.

    Raises:
        ValueError: A model or a key map of this name exists.
    """
    for name, rules in (key_maps or {}).items():
        if name in KEY_MAP_TABLE:
            raise ValueError(f"key map {name!r} is already registered")
        KEY_MAP_TABLE[name] = rules
    for entry in entries:
        if entry.name in ENTRIES:
            raise ValueError(f"model {entry.name!r} is already registered")
        ENTRIES[entry.name] = entry
