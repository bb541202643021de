"""What the commands print: JSON, tables, and figures that people read."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from brickwork_zoo.errors import InvalidInputError, ZooError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
Run = Callable[[Namespace], int]


def add_command(commands: Any, name: str, run: Run, text: str) -> ArgumentParser:
    """Add a command that takes ``--json`` as all of them do."""
    command: ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)
    return command


def exit_code(error: ZooError) -> int:
    """Return how a command ends that failed in this way."""
    return MISUSED if isinstance(error, InvalidInputError) else FAILED


def complain(text: object) -> None:
    """Print what is wrong on the standard error."""
    sys.stderr.write(f"brickwork-zoo: {text}\n")


def show_json(value: object) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, indent=1, default=_plain)
    sys.stdout.write("\n")


def show_error(error: ZooError, *, as_json: bool) -> None:
    """Print what failed, on the standard error; as JSON on the standard output."""
    if as_json:
        facts = {key: value for key, value in vars(error).items() if not key.startswith("__")}
        show_json({"error": type(error).__name__, "message": str(error), **facts})
    complain(error)


def show_lines(lines: Iterable[object]) -> None:
    """Print one thing a line."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def show_facts(facts: Mapping[str, object]) -> None:
    """Print names and values, those that are known, below each other."""
    known = {name: value for name, value in facts.items() if value not in (None, "", {}, (), False)}
    width = max(map(len, known), default=0)
    show_lines(f"{name:{width}}  {value}" for name, value in known.items())


def show_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table, with rich where it is installed and somebody is looking."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and find_spec("rich"):
        from rich.console import Console  # not needed where nobody is looking
        from rich.table import Table
        from rich.text import Text

        table = Table()
        for head in heads:
            table.add_column(head, overflow="fold")  # a URI without its end is of no use
        for row in cells:
            table.add_row(*map(Text, row))  # rich would read [brackets] as markup
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for row in (list(heads), *cells):
        pairs = zip(row, widths, strict=True)
        sys.stdout.write("  ".join(f"{cell:{width}}" for cell, width in pairs).rstrip() + "\n")


def human(count: float | None, unit: str = "B") -> str:
    """Write a number with a prefix: 102530810 bytes are ``102.5 MB``."""
    if count is None:
        return ""
    for prefix in ("", "k", "M", "G"):
        if abs(count) < 1000:
            return f"{count:.3g} {prefix}{unit}" if prefix else f"{count:.0f} {unit}".strip()
        count /= 1000
    return f"{count:.3g} T{unit}"


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, frozenset | set | tuple):
        return sorted(value) if not isinstance(value, tuple) else list(value)
    return str(value)
