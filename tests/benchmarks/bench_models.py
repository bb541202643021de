"""Cost of building ResNet-50 by hand and by config, and of running it against torchvision's."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from brickwork.cnn import ResNet as ClassicResNet
from brickwork_models import ResNet
from harness import FLOOR, OURS, Row, importable, take_turns
from torch import nn


def build() -> ResNet:
    """Build the classifier."""
    return ResNet(50, num_classes=1000, norm_eval=False)


class ByHand(nn.Module):
    """The layers of ResNet-50 without its classifier, written by hand, with the same draws."""

    class Block(nn.Module):
        """A bottleneck."""

        def __init__(self, in_channels: int, planes: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(in_channels, planes, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(planes)
            self.conv2 = nn.Conv2d(planes, planes, 3, stride, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(planes)
            self.conv3 = nn.Conv2d(planes, 4 * planes, 1, bias=False)
            self.bn3 = nn.BatchNorm2d(4 * planes)
            self.relu = nn.ReLU(inplace=True)
            self.downsample = None
            if in_channels != 4 * planes:
                self.downsample = nn.Sequential(
                    nn.Conv2d(in_channels, 4 * planes, 1, stride, bias=False),
                    nn.BatchNorm2d(4 * planes),
                )

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        in_channels = 64
        for stage, (planes, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3)), 1):
            layer = nn.Sequential()
            for n in range(blocks):
                layer.append(self.Block(in_channels, planes, 2 if stage > 1 and n == 0 else 1))
                in_channels = 4 * planes
            setattr(self, f"layer{stage}", layer)

    def init_weights(self) -> None:
        """Initialize the weights as in the paper."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.weight, 1)
                nn.init.constant_(module.bias, 0)


def building(rounds: int) -> Iterator[Row]:
    """Measure building with the default draws and initializing."""
    makers: dict[str, Callable[[], Any]] = {FLOOR: ByHand, OURS: partial(ClassicResNet, 50)}
    if importable("mmcv.cnn"):
        from mmcv.cnn import ResNet as MmcvResNet  # an optional peer

        makers["mmcv"] = partial(MmcvResNet, 50)
    if len({frozenset(make().state_dict()) for make in makers.values()}) > 1:
        raise SystemExit("the models have different keys")
    turns = {name: lambda make=make: make().init_weights() for name, make in makers.items()}
    values = take_turns(turns, rounds)
    yield Row("building and initializing ResNet-50", "by hand", "ms", values, at_most=1.15)


def step(model: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> Callable[[], object]:
    """Return a training step: forward, backward, update."""
    optimizer = torch.optim.SGD(model.train().parameters(), lr=1e-3)

    def run() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()

    return run


def against_torchvision(rounds: int) -> Iterator[Row]:
    """Measure the forward pass and a training step; the floor is torchvision's model."""
    import torchvision  # an optional peer

    reference, ours = torchvision.models.resnet50(), build()
    ours.load_state_dict(reference.state_dict())
    image = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        turns = {FLOOR: lambda: reference(image), OURS: lambda: ours(image)}
        reference.eval(), ours.eval()
        values = take_turns(turns, rounds)
    yield Row("forward of ResNet-50", "torchvision's", "ms", values, at_most=1.02)
    batch, labels = torch.randn(4, 3, 112, 112), torch.arange(4)
    turns = {FLOOR: step(reference, batch, labels), OURS: step(ours, batch, labels)}
    values = take_turns(turns, rounds)
    yield Row("training step of ResNet-50", "torchvision's", "ms", values, at_most=1.02)


def rows(rounds: int = 15) -> Iterator[Row]:
    """Measure everything for which the peers are installed."""
    yield from building(rounds)
    if importlib.util.find_spec("torchvision"):
        yield from against_torchvision(rounds)
