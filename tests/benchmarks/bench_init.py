"""Cost of initialization relative to the bare fills of the same tensors, and mmcv's.

Each round initializes a fresh model of each library. The rules of a nested block select its own
layers only: a rule for the inner blocks as well would draw for them each time, as in mmcv.
Run it alone with ``python tests/benchmarks/bench_init.py``.
"""

from __future__ import annotations

import gc
import logging
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import brickwork_base
import torch
from harness import FLOOR, OURS, Row, render
from torch import nn

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mmcv.runner as mmcv_runner
except ImportError:  # an optional peer
    mmcv_runner = None

CHANNELS = 16
BY_CLASS = [
    {"type": "Kaiming", "layer": "Conv2d"},
    {"type": "Constant", "val": 1, "layer": "BatchNorm2d"},
]
OWN = [  # a rule by class would draw for the inner blocks, too
    {"type": "Kaiming", "override": {"name": "conv"}},
    {"type": "Constant", "val": 1, "override": {"name": "bn"}},
]


def block_of(base: type[nn.Module], deep: bool) -> type[nn.Module]:
    """Return a class of blocks whose rules fill their own layers, to be nested if `deep`."""
    own = OWN if deep else BY_CLASS

    class Block(base):  # type: ignore[misc, valid-type]  # a base known at run time
        def __init__(self, inner: nn.Module | None = None) -> None:
            super().__init__(init_cfg=own)
            self.conv = nn.Conv2d(CHANNELS, CHANNELS, 3)
            self.bn = nn.BatchNorm2d(CHANNELS)
            self.relu = nn.ReLU()
            if inner is not None:
                self.inner = inner

    return Block


def side_by_side(library: Any, count: int) -> nn.Module:
    block = block_of(library.BaseModule, deep=False)
    return library.ModuleList([block() for _ in range(count)])


def nested(library: Any, depth: int) -> nn.Module:
    block = block_of(library.BaseModule, deep=True)
    model = None
    for _ in range(depth):
        model = block(model)
    return model


def fills(model: nn.Module) -> Callable[[], None]:
    """Return a function with the bare fills of the tensors of a model, collected beforehand."""
    convs = [module for module in model.modules() if isinstance(module, nn.Conv2d)]
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]

    def fill() -> None:
        for conv in convs:
            nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
            nn.init.constant_(conv.bias, 0)
        for norm in norms:
            nn.init.constant_(norm.weight, 1)
            nn.init.constant_(norm.bias, 0)

    return fill


def seconds(call: Callable[[], object]) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    finally:
        gc.enable()


def measure(
    cost: str,
    build: Callable[[Any, int], nn.Module],
    size: int,
    rounds: int,
    *,
    at_most: float | None,
    peers: bool,
) -> Row:
    """Measure the floor and each library in rounds, with a fresh model each time."""
    libraries = {OURS: brickwork_base}
    if peers and mmcv_runner is not None:
        libraries["mmcv"] = mmcv_runner
    times: dict[str, list[float]] = {name: [] for name in (FLOOR, *libraries)}
    for _ in range(rounds):
        times[FLOOR].append(seconds(fills(build(brickwork_base, size))))
        for name, library in libraries.items():
            times[name].append(seconds(build(library, size).init_weights))
    values = {name: 1e3 * statistics.median(all_) for name, all_ in times.items()}
    return Row(cost, "the same fills", "ms", values, at_most)


def rows(rounds: int = 7) -> list[Row]:
    """Measure wide and deep models."""
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measure("warm-up", side_by_side, 50, 1, at_most=None, peers=True)
            wide = [
                measure(
                    f"init_weights, {size} blocks side by side",
                    side_by_side,
                    size,
                    rounds,
                    at_most=1.4 if size == 800 else None,
                    peers=size < 2000,
                )
                for size in (200, 800, 3000, 10_000)
            ]
            deep = [
                measure(
                    f"init_weights, {depth} nested blocks",
                    nested,
                    depth,
                    rounds,
                    at_most=2.2 if depth == 80 else None,
                    peers=True,
                )
                for depth in (20, 80, 160)
            ]
    finally:
        logging.disable(logging.NOTSET)
    return wide + deep


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(render(rows()))
