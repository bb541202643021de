"""The directive ``benchmarks``: the table of a run of the benchmarks, from its JSON.

The numbers are those that ``hatch run bench:peers`` wrote; the page states no other.
"""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FLOOR, OURS = "floor", "brickwork"


def limit(row: dict[str, Any]) -> str:
    """Return what the row allows, for people."""
    if row["more"] is not None:
        return f"+{row['more']:g} {row['unit']}"
    return "" if row["at_most"] is None else f"{row['at_most']:g} x"


def cost(row: dict[str, Any], name: str) -> str:
    """Return one contender's cost: as a ratio, or as a difference where that is what counts."""
    value, floor = row["values"][name], row["values"][FLOOR]
    if row["more"] is not None:
        return f"{value - floor:+.3g} {row['unit']}"
    return f"{value / floor:.2f} x"


class Benchmarks(SphinxDirective):
    """Read the file that the argument names, relative to the documentation's root."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        path = Path(self.env.srcdir) / self.arguments[0]
        self.env.note_dependency(str(path))
        data = json.loads(path.read_text(encoding="utf-8"))
        lines = ["| cost | floor | at most | brickwork | peers |", "|---|---|---|---|---|"]
        for row in chain(*data["parts"].values()):
            peers = [f"{n} {cost(row, n)}" for n in row["values"] if n not in (FLOOR, OURS)]
            cells = (row["cost"], row["floor"], limit(row), cost(row, OURS), ", ".join(peers))
            lines.append(f"| {' | '.join(cells)} |")
        about = ", ".join(f"{name} {value}" for name, value in data["about"].items())
        return self.parse_text_to_nodes("\n".join([*lines, "", f"Measured with {about}."]))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("benchmarks", Benchmarks)
    return {"parallel_read_safe": True}
