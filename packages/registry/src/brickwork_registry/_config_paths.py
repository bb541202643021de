"""Paths within nested configs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]

UNKNOWN = "…"  # path of a config that was created by code


def format_path(path: Path) -> str:
    """Return a path as text: ``('backbone', 'layers', 2)`` is ``'backbone.layers[2]'``."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key}" if text else str(key)
    return text


def items(value: object) -> Iterator[tuple[str | int, Any]]:
    """Iterate over the direct items of a dict, a list or a tuple."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def walk(value: object, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Iterate over all dicts of a config, including itself, with their paths; outer first."""
    if isinstance(value, Mapping):
        yield path, value
    for key, item in items(value):
        yield from walk(item, (*path, key))


def find(
    inner: Mapping[str, Any], outer: Mapping[str, Any], resolve: Callable[[Any], Any]
) -> Path | None:
    """Find the part of a config that another config was made from.

    Candidates are, in this order: the object itself; an equal config (constructors copy configs);
    one that `inner` extends (with defaults); one of the same type without contradicting values
    (constructors take arguments out). `resolve` maps a ``type`` to what it refers to.
    """
    kind = resolve(inner.get("type"))
    candidates = [
        (path, config)
        for path, config in walk(outer)
        if path and (config is inner or ("type" in config and resolve(config["type"]) == kind))
    ]

    def rank(config: Mapping[str, Any]) -> int | None:
        if config is inner:
            return 0
        shared = config.keys() & inner.keys() - {"type"}
        if not all(_equal(inner[key], config[key]) for key in shared):
            return None
        if config.keys() <= inner.keys():
            return 1 if len(config) == len(inner) else 2
        return 3

    # The first of several equal configs: they are built in this order and fail in the same way.
    ranked = [(r, path) for path, config in candidates if (r := rank(config)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _equal(a: object, b: object) -> bool:
    try:
        return a is b or bool(a == b)
    except Exception:  # arrays and tensors have no single truth value
        return False
