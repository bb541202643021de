"""What a ConvModule costs: to build, against the same layers by hand; to run, in a straight line.

Run it by itself: ``python tests/benchmarks/bench_conv_module.py``. Each line is the median of
interleaved rounds; only the ratios within a run mean anything. mmcv joins in where it imports.
"""

import argparse
import gc
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from brickwork_modules import ConvModule
from torch import Tensor, nn

NORM: dict[str, Any] = {"type": "BN"}
Makers = dict[str, Callable[[int], nn.Module]]


class ByHand(nn.Module):
    """The same layers with the same draws, written out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(channels)
        self.activate = nn.ReLU(inplace=True)
        nn.init.kaiming_normal_(self.conv.weight, a=0, mode="fan_out", nonlinearity="relu")
        nn.init.constant_(self.bn.weight, 1)
        nn.init.constant_(self.bn.bias, 0)

    def forward(self, x: Tensor) -> Tensor:
        """Call the layers in a straight line."""
        return self.activate(self.bn(self.conv(x)))


def makers() -> Makers:
    """The floor, ours, and mmcv's if it is there."""
    found: Makers = {
        "floor": ByHand,
        "brickwork": lambda c: ConvModule(c, c, 3, padding=1, norm_cfg=NORM),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mmcv.cnn import ConvModule as Theirs
    except ImportError:
        return found
    return {**found, "mmcv": lambda c: Theirs(c, c, 3, padding=1, norm_cfg=NORM)}


def measure(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Time each run in turn, `rounds` times; the median seconds of each."""
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
                times[name].append(time.perf_counter() - start)
    finally:
        gc.enable()
    return {name: statistics.median(values) for name, values in times.items()}


def build(channels: int, count: int = 200) -> dict[str, Callable[[], Any]]:
    """Build `count` of each."""
    return {
        name: lambda make=make: [make(channels) for _ in range(count)]
        for name, make in makers().items()
    }


def forward(
    channels: int, size: int, *, train: bool = False, compiled: bool = False, depth: int = 20
) -> dict[str, Callable[[], Any]]:
    """Run a stack of each, with the backward pass in training."""
    x = torch.randn(2, channels, size, size, requires_grad=train)
    runs: dict[str, Callable[[], Any]] = {}
    for name, make in makers().items():
        if compiled and name == "mmcv":
            continue
        stack: Any = nn.Sequential(*(make(channels) for _ in range(depth))).train(train)
        if compiled:
            stack = torch.compile(stack, fullgraph=True)

        def run(stack: Any = stack) -> None:
            with torch.set_grad_enabled(train):
                y = stack(x)
                if train:
                    y.sum().backward()

        runs[name] = run
    return runs


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--compiled", action="store_true", help="also with torch.compile")
    options = parser.parse_args()
    torch.set_num_threads(1)
    lines = {
        "build 200, 4 channels": (build(4), 1),
        "build 200, 64 channels": (build(64), 1),
        "forward, 8 x 8 x 8": (forward(8, 8), 10),
        "forward and backward, 8 x 8 x 8": (forward(8, 8, train=True), 5),
        "forward, 64 x 56 x 56": (forward(64, 56, depth=4), 1),
    }
    if options.compiled:
        lines["compiled, 8 x 8 x 8"] = (forward(8, 8, compiled=True), 10)
    print(f"{'':32}{'floor':>10}{'brickwork':>11}{'ratio':>7}{'mmcv':>10}{'ratio':>7}")
    for line, (runs, more) in lines.items():
        found = measure(runs, options.rounds * more)
        cells = f"{line:32}{found['floor'] * 1e3:8.2f}ms"
        for name, width in (("brickwork", 9), ("mmcv", 8)):
            if name in found:
                cells += f"{found[name] * 1e3:{width}.2f}ms{found[name] / found['floor']:7.3f}"
        print(cells)


if __name__ == "__main__":
    main()
