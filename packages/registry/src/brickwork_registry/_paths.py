"""Places in a nested config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]

UNKNOWN = "…"  # a config that the code in between made by itself


def join(path: Path) -> str:
    """Write a path as one would index: ``('backbone', 'layers', 2)`` → ``'backbone.layers[2]'``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else str(step)
    return text


def items(value: object) -> Iterator[tuple[str | int, Any]]:
    """List the direct parts of a dict, a list or a tuple; nothing else has any."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)


def walk(value: object, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """List every dict in a config, itself included, with its path; outer before inner."""
    if isinstance(value, Mapping):
        yield path, value
    for key, part in items(value):
        yield from walk(part, (*path, key))


def find(inner: Mapping[str, Any], outer: Mapping[str, Any]) -> Path | None:
    """Find the place in a config of another one that was built from it.

    The object itself is looked for first, then an equal one (constructors copy configs), then
    one that has been added to (and fill in defaults).

    Args:
        inner: The config that was built inside.
        outer: The config that was built around it.

    Returns:
        The path; None if `outer` does not hold it.
    """
    places = [place for place in walk(outer) if place[0]]
    for test in (_is, _equals, _extends):
        for path, config in places:
            if test(inner, config):
                return path
    return None


def _is(inner: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    return inner is config


def _equals(inner: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    return len(inner) == len(config) and _extends(inner, config)


def _extends(inner: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    if "type" not in config:
        return False
    try:
        return all(key in inner and bool(inner[key] == config[key]) for key in config)
    except Exception:  # arrays and tensors have no single truth; then they are not known equal
        return False
