"""A registry as a printed table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._describe import full_name


def render_table(
    name: str, scope: str, entries: Mapping[str, Any], children: Mapping[str, int]
) -> str:
    """Return a headline and a line for each object: its name, aliases and full name."""
    names_by_object: dict[int, list[str]] = {}
    for key, target in entries.items():
        names_by_object.setdefault(id(target), []).append(key)
    rows = [
        (names[0], ", ".join(names[1:]), full_name(entries[names[0]]))
        for names in names_by_object.values()
    ]
    lines = [
        f"registry {name!r}, scope {scope!r}: "
        f"{_count(len(entries), 'name')} of {_count(len(rows), 'object')}"
    ]
    has_aliases = any(aliases for _, aliases, _ in rows)
    if rows:
        rows.insert(0, ("name", "aliases", "object"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        rows.insert(1, ("-" * widths[0], "-" * widths[1], "-" * widths[2]))
        lines += [
            f"{key:{widths[0]}}  {aliases:{widths[1]}}  {target}"
            if has_aliases
            else f"{key:{widths[0]}}  {target}"
            for key, aliases, target in rows
        ]
    if children:
        lines.append("children: " + ", ".join(f"{s} ({size})" for s, size in children.items()))
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
