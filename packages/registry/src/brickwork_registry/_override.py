"""Other entries for a while: for tests and experiments."""

from __future__ import annotations

from _thread import allocate_lock  # `threading` is 3 ms of import for this one function

from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._entries import Entries

# Held for each look at the entries that is followed by a change of them. One for all
# registries: it is never held for longer than that, and they can be copied without it.
lock = allocate_lock()


class Override:
    """What `Registry.override` returns."""

    def __init__(self, registry: Entries[Any], entries: Mapping[str, Any]) -> None:
        self._registry, self._entries = registry, entries
        self._replaced: list[dict[str, Any]] = []  # a stack: the manager can be entered again

    def __enter__(self) -> Entries[Any]:
        present = self._registry.module_dict
        with lock:
            self._replaced.append({name: present.get(name) for name in self._entries})
            present.update(self._entries)
        return self._registry

    def __exit__(self, *_: object) -> None:
        present = self._registry.module_dict
        with lock:
            for name, entry in self._replaced.pop().items():
                if entry is None:
                    present.pop(name, None)
                else:
                    present[name] = entry
