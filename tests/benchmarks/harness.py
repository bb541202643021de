"""What every benchmark shares: rounds in which the contenders take turns, and a table of medians.

Machines are noisy, so a time alone says nothing. Each row sets a cost beside its floor, the least
that the same result can cost, measured in the same rounds; what counts is their ratio.
"""

from __future__ import annotations

import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from textwrap import fill
from typing import Any

Run = Callable[[], object]

FLOOR, OURS = "floor", "brickwork"


@dataclass(frozen=True)
class Row:
    """One cost, beside its floor and the peers that are installed.

    Attributes:
        cost: What is measured.
        floor: What the floor is.
        unit: Of the values: ``'ms'``, ``'us'``, ``'MB'``.
        values: By contender, `FLOOR` and `OURS` among them.
        at_most: The largest ratio to the floor that we allow ourselves, or None.
        more: The largest difference to the floor instead, in `unit`, or None.
    """

    cost: str
    floor: str
    unit: str
    values: Mapping[str, float] = field(default_factory=dict)
    at_most: float | None = None
    more: float | None = None

    def ratio(self, name: str = OURS) -> float:
        """Return how many times the floor one contender costs."""
        return self.values[name] / self.values[FLOOR]

    @property
    def most(self) -> float | None:
        """Return the largest ratio that we allow ourselves, however it is given."""
        if self.more is not None:
            return 1 + self.more / self.values[FLOOR]
        return self.at_most

    @property
    def limit(self) -> str:
        """Return what we allow ourselves, for people."""
        if self.more is not None:
            return f"+{self.more:g} {self.unit}"
        return "" if self.at_most is None else f"{self.at_most:g} x"

    @property
    def holds(self) -> bool:
        """Whether we keep to it."""
        return self.most is None or self.ratio() <= self.most


def take_turns(runs: Mapping[str, Run], rounds: int, scale: float = 1e3) -> dict[str, float]:
    """Time each contender once a round, in turn; return the medians.

    Args:
        runs: By name; each is called once more at the start, uncounted.
        rounds: How many times each is timed.
        scale: From seconds to the unit wanted; milliseconds unless told.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.perf_counter()
                run()
                times[name].append((time.perf_counter() - start) * scale)
    finally:
        gc.enable()
    return {name: statistics.median(values) for name, values in times.items()}


def fresh(script: str, *arguments: object) -> Any:
    """Run a script in a process of its own; return what it prints last, which is JSON.

    Args:
        script: Its path.
        *arguments: Its arguments.
    """
    command = [sys.executable, "-W", "ignore", script, *map(str, arguments)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.splitlines()[-1])  # a peer may have its say before


def importable(module: str) -> bool:
    """Whether a fresh process can import a peer; some are installed and yet fail."""
    return not subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import {module}"], capture_output=True
    ).returncode


def render(rows: Iterable[Row]) -> str:
    """Write rows as one table in Markdown: also readable as it is."""
    head = ["cost", "floor", FLOOR, OURS, "ratio", "at most", "peers"]
    cells = [head, ["---"] * len(head)]
    for row in rows:
        peers = [
            f"{name} {row.ratio(name):.2f} x" for name in row.values if name not in (FLOOR, OURS)
        ]
        cells.append(
            [
                row.cost,
                row.floor,
                _value(row.values[FLOOR], row.unit),
                _value(row.values[OURS], row.unit),
                f"{row.ratio():.2f} x",
                row.limit + ("" if row.holds else " (missed)"),
                ", ".join(peers),
            ]
        )
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    )


def _value(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"


Table = dict[str, list[Row]]  # by part


def save(table: Table, path: Path, about: Mapping[str, str]) -> None:
    """Write a table as JSON, with what it was measured on."""
    parts = {part: [asdict(row) for row in rows] for part, rows in table.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"about": dict(about), "parts": parts}, indent=1) + "\n", encoding="utf-8"
    )


def load(path: Path, about: Mapping[str, str]) -> Table:
    """Read a table that was measured on the same, so that a run of some parts renews only these."""
    if not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    if data["about"] != dict(about):
        return {}
    return {part: [Row(**row) for row in rows] for part, rows in data["parts"].items()}


COLOURS = {
    OURS: "#c8553d",
    "mmcv": "#3d6f9e",
    "mmengine": "#7fb0d8",
    "timm": "#7a9e3d",
    "torchvision": "#c49a3a",
    "torch.hub": "#8a6fb0",
    "pooch": "#5a8a8a",
}
OTHER = "#a9b2bc"  # not a library: another floor, another way to do it
LEAST = 0.1  # what costs less is drawn here


def plot(table: Table, path: Path) -> None:
    """Draw the ratios to the floor, ours and the peers', part by part on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import NullFormatter

    count = sum(map(len, table.values()))
    figure, panels = plt.subplots(
        len(table),
        sharex=True,
        squeeze=False,
        figsize=(10.5, 1 + 0.33 * count + 0.25 * len(table)),
        height_ratios=[len(rows) + 0.6 for rows in table.values()],
        layout="constrained",
    )
    for axes, (part, rows) in zip(panels[:, 0], table.items(), strict=True):
        for place, row in enumerate(rows):
            axes.axhline(place, color="#eef1f4", zorder=0)
            for name in reversed([n for n in row.values if n != FLOOR]):
                axes.scatter(
                    max(row.ratio(name), LEAST),
                    place,
                    s=60 if name == OURS else 34,
                    color=COLOURS.get(name, OTHER),
                    zorder=2,
                )
            if row.most is not None:
                axes.plot([row.most] * 2, [place - 0.3, place + 0.3], color="#1d2733", lw=1.2)
        axes.axvline(1, color="#6b7785", lw=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g} x")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(rows)), [fill(row.cost, 62) for row in rows], size=8.5)
        axes.set_ylim(len(rows) - 0.4, -0.7)
        axes.set_title(part.replace("_", " "), loc="left", size=9, weight="bold")
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axes.tick_params(which="both", left=False, bottom=axes is panels[-1, 0])
    panels[-1, 0].set_xlabel("times its floor (black tick: at most)")
    shown = {name for rows in table.values() for row in rows for name in row.values} - {FLOOR}
    for name, colour in {**COLOURS, "others": OTHER}.items():
        if name in shown or (name == "others" and shown - COLOURS.keys()):
            panels[0, 0].scatter([], [], color=colour, label=name)
    figure.legend(frameon=False, ncols=8, loc="outside upper left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    plt.close(figure)
