"""Directives ``benchmarks`` and ``comparison``: tables of a benchmark run.

The numbers come from the JSON that ``hatch run bench:peers`` writes. ``hatch run readme`` writes
the comparison into the README, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FLOOR, OURS = "floor", "brickwork"
LARGER = {"us": "ms", "ms": "s", "MB": "GB"}
JOINED = "\N{NO-BREAK SPACE}"  # keeps number and unit together in a narrow column
TIMES = "\N{MULTIPLICATION SIGN}"


class Compared(NamedTuple):
    """A row of the comparison: label, benchmark, whether the benchmark's floor is subtracted."""

    label: str
    cost: str
    beyond: bool = False


COMPARED = (
    Compared(
        "a ready model from a checkpoint of 1.2 GB in the cache",
        "ready model, from the cache, 1.2 GB",
    ),
    Compared("… the peak of its memory", "ready model, from the cache, 1.2 GB, peak memory"),
    Compared(
        "… with every weight read once", "ready model and a pass over it, from the cache, 1.2 GB"
    ),
    Compared("a ready model from a local checkpoint of 1.2 GB", "ready model, local file, 1.2 GB"),
    Compared(
        "`load_checkpoint` into a model, 1.2 GB in the cache",
        "load_checkpoint into a model, from the cache, 1.2 GB",
    ),
    Compared(
        "`load_checkpoint` into a model, local 1.2 GB",
        "load_checkpoint into a model, local file, 1.2 GB",
    ),
    Compared("importing `ConvModule`, beyond torch", "from brickwork.cnn import ConvModule", True),
    Compared("`init_weights`, 800 blocks side by side", "init_weights, 800 blocks side by side"),
    Compared("`init_weights`, 80 nested blocks", "init_weights, 80 nested blocks"),
    Compared("building 200 `ConvModule`s", "building 200 ConvModules, 64 channels"),
    Compared("`build_from_cfg`, beyond the constructor", "build_from_cfg, a call", True),
)


def quantity(value: float, unit: str) -> str:
    """Format a quantity with about three digits in a suitable unit."""
    while abs(value) >= 999.5 and unit in LARGER:
        value, unit = value / 1e3, LARGER[unit]
    places = 0 if abs(value) >= 99.5 else 1 if abs(value) >= 9.95 else 2
    return f"{value:.{places}f}{JOINED}{unit.replace('us', 'µs')}"


def times(ratio: float) -> str:
    """Format a ratio."""
    return f"{ratio:.{0 if ratio >= 99.5 else 1 if ratio >= 9.95 else 2}f}{JOINED}{TIMES}"


def comparison(data: Mapping[str, Any]) -> list[str]:
    """Return the lines of the comparison with mmcv, in Markdown."""
    rows = {row["cost"]: row for row in chain(*data["parts"].values())}
    lines = [f"| | mmcv {data['about']['mmcv']} | brickwork | ratio |", "|---|--:|--:|--:|"]
    for label, name, beyond in COMPARED:
        if name not in rows:  # not measured yet
            continue
        row = rows[name]
        floor = row["values"][FLOOR] if beyond else 0
        mmcv, ours = (row["values"][name] - floor for name in ("mmcv", OURS))
        cells = (label, quantity(mmcv, row["unit"]), quantity(ours, row["unit"]))
        lines.append(f"| {' | '.join(cells)} | {times(mmcv / ours)} |")
    return lines


def limit(row: Mapping[str, Any]) -> str:
    """Return the limit of a row, marked if it is exceeded."""
    ours, floor = row["values"][OURS], row["values"][FLOOR]
    if row["more"] is not None:
        allowed, is_met = f"+{quantity(row['more'], row['unit'])}", ours - floor <= row["more"]
    elif row["at_most"] is not None:
        allowed, is_met = times(row["at_most"]), ours <= floor * row["at_most"]
    else:
        return ""
    return allowed if is_met else f"{allowed}, missed"


def cost(row: Mapping[str, Any], name: str) -> str:
    """Return a contender's cost as a ratio, or as a difference if the limit is one."""
    value, floor = row["values"][name], row["values"][FLOOR]
    if row["more"] is None:
        return times(value / floor)
    return f"{'+' if value >= floor else ''}{quantity(value - floor, row['unit'])}"


def everything(data: Mapping[str, Any]) -> list[str]:
    """Return the lines of the complete table, in Markdown."""
    lines = ["| cost | floor | at most | brickwork | peers |", "|---|---|--:|--:|---|"]
    for row in chain(*data["parts"].values()):
        peers = (
            f"{name.replace(' ', JOINED)}{JOINED}{cost(row, name)}"
            for name in row["values"]
            if name not in (FLOOR, OURS)
        )
        cells = (row["cost"], row["floor"], limit(row), cost(row, OURS), ", ".join(peers))
        lines.append(f"| {' | '.join(cells)} |")
    about = ", ".join(f"{name} {value}" for name, value in data["about"].items())
    return [*lines, "", f"Measured with {about}."]


class Table(SphinxDirective):
    """Table of a file; the argument is its path relative to the documentation's root."""

    required_arguments = 1
    lines = staticmethod(everything)

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / self.arguments[0]
        self.env.note_dependency(str(path))
        self.env.note_dependency(__file__)
        data = json.loads(path.read_text(encoding="utf-8"))
        return self.parse_text_to_nodes("\n".join(self.lines(data)))


class Comparison(Table):
    """Table of the comparison with mmcv."""

    lines = staticmethod(comparison)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("benchmarks", Table)
    app.add_directive("comparison", Comparison)
    return {"parallel_read_safe": True}
