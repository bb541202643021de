"""Output of the commands: JSON, tables, numbers with units, errors."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from brickwork_zoo._find._file_hash import Sha256
from brickwork_zoo.errors import InvalidInputError, ZooError

FAILED, MISUSED, INTERRUPTED = 1, 2, 130
Run = Callable[[Namespace], int]


def add_command(commands: Any, name: str, run: Run, text: str) -> ArgumentParser:
    """Add a command with the option ``--json``, which all commands have."""
    command: ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)
    return command


def add_hash_options(command: ArgumentParser) -> None:
    """Add the options ``--sha256`` and ``--no-verify``."""
    group = command.add_mutually_exclusive_group()
    group.add_argument("--sha256", help="expected SHA-256, or its first 8 or more digits")
    group.add_argument(
        "--no-verify", action="store_true", help="do not compare the SHA-256 of the file"
    )


def expected_hash(args: Namespace) -> Sha256:
    """Return the argument ``sha256`` for the values of ``--sha256`` and ``--no-verify``."""
    return False if args.no_verify else args.sha256


def exit_code(error: ZooError) -> int:
    """Return the exit code of a command that failed with this error."""
    return MISUSED if isinstance(error, InvalidInputError) else FAILED


def print_error(text: object) -> None:
    """Print an error message to the standard error."""
    sys.stderr.write(f"brickwork-zoo: {text}\n")


def print_json(value: object) -> None:
    """Print a value as JSON."""
    json.dump(value, sys.stdout, indent=1, default=_plain)
    sys.stdout.write("\n")


def print_zoo_error(error: ZooError, *, as_json: bool) -> None:
    """Print an error to the standard error, and optionally as JSON to the standard output."""
    if as_json:
        facts = {key: value for key, value in vars(error).items() if not key.startswith("__")}
        print_json({"error": type(error).__name__, "message": str(error), **facts})
    print_error(error)


def print_lines(lines: Iterable[object]) -> None:
    """Print one value per line."""
    sys.stdout.writelines(f"{line}\n" for line in lines)


def print_facts(facts: Mapping[str, object]) -> None:
    """Print names and their values, one pair per line, without empty values."""
    known = {name: value for name, value in facts.items() if value not in (None, "", {}, (), False)}
    width = max(map(len, known), default=0)
    print_lines(f"{name:{width}}  {value}" for name, value in known.items())


def print_table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table, by rich if it is installed and the output is a terminal."""
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if sys.stdout.isatty() and find_spec("rich"):
        from rich.console import Console  # not needed without a terminal
        from rich.table import Table
        from rich.text import Text

        table = Table()
        for head in heads:
            table.add_column(head, overflow="fold")  # rather than cut off the end of a URI
        for row in cells:
            table.add_row(*map(Text, row))  # rich would interpret [brackets]
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    for row in (list(heads), *cells):
        pairs = zip(row, widths, strict=True)
        sys.stdout.write("  ".join(f"{cell:{width}}" for cell, width in pairs).rstrip() + "\n")


def human(count: float | None, unit: str = "B") -> str:
    """Return a number with a unit prefix: 102530810 bytes are ``103 MB``."""
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
