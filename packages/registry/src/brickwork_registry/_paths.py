"""Places in a nested config."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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


def find(
    inner: Mapping[str, Any], outer: Mapping[str, Any], resolve: Callable[[Any], Any]
) -> Path | None:
    """Find the place in a config of another one that was built from it.

    The object itself is looked for first, then an equal one (constructors copy configs), then
    one that has been added to (and fill in defaults), then one of the same type that does not
    disagree (and take some arguments for themselves).

    Args:
        inner: The config that was built inside.
        outer: The config that was built around it.
        resolve: Turns a ``type`` into what it stands for.

    Returns:
        The path; None if `outer` does not hold it.
    """
    kind = resolve(inner.get("type"))
    places = [
        (path, config)
        for path, config in walk(outer)
        if path and (config is inner or ("type" in config and resolve(config["type"]) == kind))
    ]

    def rank(config: Mapping[str, Any]) -> int | None:
        if config is inner:
            return 0
        shared = config.keys() & inner.keys() - {"type"}
        if not all(_same(inner[key], config[key]) for key in shared):
            return None
        if config.keys() <= inner.keys():
            return 1 if len(config) == len(inner) else 2
        return 3

    # Of equal ones the first: they are built in this order and fail alike.
    ranked = [(found, path) for path, config in places if (found := rank(config)) is not None]
    return min(ranked, key=lambda pair: pair[0])[1] if ranked else None


def _same(one: object, other: object) -> bool:
    try:
        return one is other or bool(one == other)
    except Exception:  # arrays and tensors have no single truth; then they are not known equal
        return False
