"""Cost of imports in fresh processes.

Modules are imported from bytecode, as after an installation. If writing bytecode is disabled, only
the checkout would be compiled at every import.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from harness import FLOOR, OURS, Row, importable, take_turns


def rows(rounds: int = 15) -> Iterator[Row]:
    """Measure the imports of each package's entry point."""
    cnn = {FLOOR: "import torch", OURS: "from brickwork.cnn import ConvModule"}
    peers = {"mmcv": "from mmcv.cnn import ConvModule", "timm": "import timm"}
    cnn |= {name: line for name, line in peers.items() if importable(name)}
    yield _row("from brickwork.cnn import ConvModule", "import torch", cnn, rounds, more=60)
    for module, at_most, others in (
        ("brickwork", 1.5, {}),
        ("brickwork_registry", 2.2, {"mmengine": "import mmengine.registry"}),
        ("brickwork_zoo", 3.0, {"pooch": "import pooch"}),
    ):
        lines = {FLOOR: "pass", OURS: f"import {module}"}
        lines |= {name: line for name, line in others.items() if importable(name)}
        yield _row(f"import {module}", "bare Python", lines, rounds, at_most=at_most)


def _row(
    cost: str,
    floor: str,
    lines: dict[str, str],
    rounds: int,
    *,
    at_most: float | None = None,
    more: float | None = None,
) -> Row:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-W", "ignore", "-c"]
    runs = {
        name: partial(subprocess.run, [*command, line], check=True, env=environment)
        for name, line in lines.items()
    }
    return Row(cost, floor, "ms", take_turns(runs, rounds), at_most=at_most, more=more)
