"""Temporary entries, for tests and experiments."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any, Generic, TypeVar

R = TypeVar("R")


class Override(Generic[R]):
    """The context manager that `Registry.override` returns; it can be entered repeatedly."""

    def __init__(
        self, registry: R, entries: dict[str, Any], replacements: Mapping[str, Any], lock: Lock
    ) -> None:
        self._registry = registry
        self._entries = entries
        self._replacements = replacements
        self._lock = lock
        self._replaced: list[dict[str, Any]] = []  # one dict for each time it was entered

    def __enter__(self) -> R:
        with self._lock:
            self._replaced.append({name: self._entries.get(name) for name in self._replacements})
            self._entries.update(self._replacements)
        return self._registry

    def __exit__(self, *_: object) -> None:
        with self._lock:
            for name, entry in self._replaced.pop().items():
                if entry is None:
                    self._entries.pop(name, None)
                else:
                    self._entries[name] = entry
