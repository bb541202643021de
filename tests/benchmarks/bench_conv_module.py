"""Cost of building and running a ConvModule relative to the same layers written by hand.

mmcv takes part if it is installed.
"""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from brickwork_modules import ConvModule
from harness import FLOOR, OURS, Row, take_turns
from torch import Tensor, nn

NORM: dict[str, Any] = {"type": "BN"}
Makers = dict[str, Callable[[int], nn.Module]]


class ByHand(nn.Module):
    """The same layers with the same draws, written by hand."""

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
    """Return the floor, brickwork's class and, if it is installed, mmcv's."""
    builders: Makers = {
        FLOOR: ByHand,
        OURS: lambda c: ConvModule(c, c, 3, padding=1, norm_cfg=NORM),
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from mmcv.cnn import ConvModule as MmcvConvModule
    except ImportError:
        return builders
    return {**builders, "mmcv": lambda c: MmcvConvModule(c, c, 3, padding=1, norm_cfg=NORM)}


def build(channels: int, count: int = 200) -> dict[str, Callable[[], Any]]:
    """Return functions that build `count` of each."""
    return {
        name: lambda make=make: [make(channels) for _ in range(count)]
        for name, make in makers().items()
    }


def forward(
    channels: int, size: int, *, train: bool = False, compiled: bool = False, depth: int = 20
) -> dict[str, Callable[[], Any]]:
    """Return functions that run a stack of each, with the backward pass in training."""
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


def rows(rounds: int = 30) -> Iterator[Row]:
    """Measure building and running, small and at a realistic size, and compiled."""
    straight = "the layers in a straight line"
    for cost, floor, at_most, runs, more in (
        ("building 200 ConvModules, 4 channels", "by hand", 1.3, build(4), 1),
        ("building 200 ConvModules, 64 channels", "by hand", 1.15, build(64), 1),
        ("forward of 20, 8 x 8 x 8", straight, 1.02, forward(8, 8), 10),
        ("forward and backward of 20, 8 x 8 x 8", straight, 1.02, forward(8, 8, train=True), 5),
        ("forward of 4, 64 x 56 x 56", straight, 1.02, forward(64, 56, depth=4), 1),
        (
            "forward and backward of 4, 64 x 56 x 56",
            straight,
            1.02,
            forward(64, 56, train=True, depth=4),
            1,
        ),
        ("compiled forward of 20, 8 x 8 x 8", straight, 1.02, forward(8, 8, compiled=True), 10),
        (
            "compiled forward and backward of 20, 8 x 8 x 8",
            straight,
            1.02,
            forward(8, 8, train=True, compiled=True),
            10,
        ),
    ):
        yield Row(cost, floor, "ms", take_turns(runs, rounds * more), at_most=at_most)
