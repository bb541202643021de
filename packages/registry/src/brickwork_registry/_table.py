"""A registry as a table for people: ``print(NORM_LAYERS)``."""

from __future__ import annotations

from ._describe import full_name
from ._typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from ._entries import Entries


def render(registry: Entries[Any]) -> str:
    """Write a registry as a table of names, aliases and classes.

    Args:
        registry: The registry.

    Returns:
        A headline and a line for each object, in the order of registration.
    """
    names_of: dict[int, list[str]] = {}
    for name, target in registry.module_dict.items():
        names_of.setdefault(id(target), []).append(name)
    rows = [
        (names[0], ", ".join(names[1:]), full_name(registry.module_dict[names[0]]))
        for names in names_of.values()
    ]
    lines = [
        f"registry {registry.name!r}, scope {registry.scope!r}: "
        f"{_count(len(registry), 'name')} of {_count(len(rows), 'object')}"
    ]
    if rows:
        rows.insert(0, ("name", "aliases", "object"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2]))
        if not any(aliases for _, aliases, _ in rows[2:]):
            rows, widths = [(name, "", target) for name, _, target in rows], [widths[0], -2, 0]
        lines += [
            f"{name:{widths[0]}}  {aliases:{widths[1]}}  {target}"
            if widths[1] > 0
            else f"{name:{widths[0]}}  {target}"
            for name, aliases, target in rows
        ]
    if registry.children:
        lines.append(
            "children: "
            + ", ".join(f"{scope} ({len(child)})" for scope, child in registry.children.items())
        )
    return "\n".join(lines)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
