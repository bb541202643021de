"""Harness of the benchmarks: rounds in which contenders alternate, and a table of medians.

Machines are noisy, so times alone mean nothing. Each row compares a cost with its floor, the least
that the same result can cost, measured in the same rounds; their ratio counts.
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
    """A cost with its floor and the costs of the installed peers.

    Attributes:
        cost: Label of the cost.
        floor: Label of the floor.
        unit: Unit of the values: ``'ms'``, ``'us'``, ``'MB'``.
        values: Values by contender, including `FLOOR` and `OURS`.
        at_most: Limit of the ratio to the floor, or None.
        more: Limit of the difference to the floor in `unit`, or None.
    """

    cost: str
    floor: str
    unit: str
    values: Mapping[str, float] = field(default_factory=dict)
    at_most: float | None = None
    more: float | None = None

    def ratio(self, name: str = OURS) -> float:
        """Return a contender's ratio to the floor."""
        return self.values[name] / self.values[FLOOR]

    @property
    def most(self) -> float | None:
        """Return the limit as a ratio."""
        if self.more is not None:
            return 1 + self.more / self.values[FLOOR]
        return self.at_most

    @property
    def limit(self) -> str:
        """Return the limit as text."""
        if self.more is not None:
            return f"+{self.more:g} {self.unit}"
        return "" if self.at_most is None else f"{self.at_most:g} x"

    @property
    def holds(self) -> bool:
        """Return whether brickwork meets the limit."""
        return self.most is None or self.ratio() <= self.most


def take_turns(runs: Mapping[str, Run], rounds: int, scale: float = 1e3) -> dict[str, float]:
    """Time each contender once per round, alternating, and return the medians.

    Args:
        runs: Contenders by name; each is called once before the first round.
        rounds: Number of rounds.
        scale: Factor from seconds to the unit; milliseconds by default.
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
    """Run a script in a fresh process and return its last line of output, which is JSON.

    Args:
        script: Path of the script.
        *arguments: Its command line.
    """
    command = [sys.executable, "-W", "ignore", script, *map(str, arguments)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(printed.splitlines()[-1])  # peers may print before it


def importable(module: str) -> bool:
    """Return whether a fresh process can import a peer; some fail although installed."""
    return not subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import {module}"], capture_output=True
    ).returncode


def render(rows: Iterable[Row]) -> str:
    """Return rows as a Markdown table, aligned for the console."""
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
    """Write a table as JSON, with the versions that were measured."""
    parts = {part: [asdict(row) for row in rows] for part, rows in table.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({"about": dict(about), "parts": parts}, indent=1) + "\n", encoding="utf-8"
    )


def load(path: Path, about: Mapping[str, str]) -> Table:
    """Return a table that was measured with the same versions, or an empty one."""
    if not path.exists():
        return {}
    data = json.loads(path.read_text(encoding="utf-8"))
    if data["about"] != dict(about):
        return {}
    return {part: [Row(**row) for row in rows] for part, rows in data["parts"].items()}


COLORS = {
    OURS: "#c8553d",
    "mmcv": "#3d6f9e",
    "mmengine": "#7fb0d8",
    "timm": "#7a9e3d",
    "torchvision": "#c49a3a",
    "torch.hub": "#8a6fb0",
    "pooch": "#5a8a8a",
}
OTHER = "#a9b2bc"  # not a library: another floor or method
LEAST = 0.1  # smaller ratios are drawn here


def plot(table: Table, path: Path) -> None:
    """Plot the ratios to the floor by part, on a logarithmic axis."""
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
        for position, row in enumerate(rows):
            axes.axhline(position, color="#eef1f4", zorder=0)
            for name in reversed([n for n in row.values if n != FLOOR]):
                axes.scatter(
                    max(row.ratio(name), LEAST),
                    position,
                    s=60 if name == OURS else 34,
                    color=COLORS.get(name, OTHER),
                    zorder=2,
                )
            if row.most is not None:
                axes.plot([row.most] * 2, [position - 0.3, position + 0.3], color="#1d2733", lw=1.2)
        axes.axvline(1, color="#6b7785", lw=0.8)
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g} x")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(rows)), [fill(row.cost, 62) for row in rows], size=8.5)
        axes.set_ylim(len(rows) - 0.4, -0.7)
        axes.set_title(part.replace("_", " "), loc="left", size=9, weight="bold")
        axes.spines[["top", "right", "left", "bottom"]].set_visible(False)
        axes.tick_params(which="both", left=False, bottom=axes is panels[-1, 0])
    panels[-1, 0].set_xlabel("ratio to the floor (black tick: limit)")
    shown = {name for rows in table.values() for row in rows for name in row.values} - {FLOOR}
    for name, color in {**COLORS, "others": OTHER}.items():
        if name in shown or (name == "others" and shown - COLORS.keys()):
            panels[0, 0].scatter([], [], color=color, label=name)
    figure.legend(frameon=False, ncols=8, loc="outside upper left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=140)
    plt.close(figure)
