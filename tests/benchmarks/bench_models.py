"""ResNet-50 side by side with torchvision's, and what a network with its weights costs."""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import brickwork_zoo
import torch
from brickwork_models import ResNet
from harness import FLOOR, OURS, Row, take_turns
from torch import nn


def build() -> ResNet:
    """Build the classifier."""
    return ResNet(50, num_classes=1000, norm_eval=False)


def step(model: nn.Module, x: torch.Tensor, labels: torch.Tensor) -> Callable[[], object]:
    """Make a step of training: forward, backward, update."""
    optimizer = torch.optim.SGD(model.train().parameters(), lr=1e-3)

    def run() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimizer.step()

    return run


def against_torchvision(rounds: int) -> Iterator[Row]:
    """Measure forward and a training step; the floor is torchvision's network."""
    import torchvision  # a peer, which may be missing

    theirs, ours = torchvision.models.resnet50(), build()
    ours.load_state_dict(theirs.state_dict())
    one = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        turns = {FLOOR: lambda: theirs(one), OURS: lambda: ours(one)}
        theirs.eval(), ours.eval()
        values = take_turns(turns, rounds)
    yield Row("forward of ResNet-50", "torchvision's", "ms", values, at_most=1.02)
    batch, labels = torch.randn(4, 3, 112, 112), torch.arange(4)
    turns = {FLOOR: step(theirs, batch, labels), OURS: step(ours, batch, labels)}
    values = take_turns(turns, rounds)
    yield Row("training step of ResNet-50", "torchvision's", "ms", values, at_most=1.02)


def building_and_loading(rounds: int, folder: Path) -> Iterator[Row]:
    """Measure how long a network takes from nothing to its weights."""
    path = folder / "resnet50.pth"
    torch.save(build().state_dict(), path)

    def floor() -> None:
        with torch.device("meta"):
            model = build()
        weights = torch.load(path, mmap=True, weights_only=True)
        model.load_state_dict(weights, assign=True)

    turns: dict[str, Callable[[], object]] = {
        FLOOR: floor,
        OURS: lambda: brickwork_zoo.load_model(build, path),
    }
    if importlib.util.find_spec("timm"):
        import timm  # a peer, which may be missing

        turns["timm"] = lambda: timm.create_model("resnet50", checkpoint_path=str(path))
    if importlib.util.find_spec("torchvision"):
        import torchvision  # a peer, which may be missing

        def with_torchvision() -> None:
            weights = torch.load(path, weights_only=True)
            torchvision.models.resnet50().load_state_dict(weights)

        turns["torchvision"] = with_torchvision
    values = take_turns(turns, rounds)
    yield Row("ResNet-50 built and loaded", "meta, mmap, assign", "ms", values, at_most=1.3)


def rows(rounds: int = 15) -> Iterator[Row]:
    """Measure everything that the installed peers allow."""
    if importlib.util.find_spec("torchvision"):
        yield from against_torchvision(rounds)
    with tempfile.TemporaryDirectory() as folder:
        yield from building_and_loading(rounds, Path(folder))
