"""What a network with its weights costs, from nothing.

Each time in a process of its own, as a program pays for it: once the memory that one network has
left is there to be used again, the next one takes less.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from harness import FLOOR, OURS, Row, fresh, importable

Run = Callable[[], object]


def build():
    """Build our classifier."""
    from brickwork_models import ResNet

    return ResNet(50, num_classes=1000, norm_eval=False)


def floor(path: str) -> Run:
    import brickwork_models  # noqa: F401  imports are not what is measured, here and below
    import torch

    def run() -> None:
        with torch.device("meta"):
            model = build()
        weights = torch.load(path, mmap=True, weights_only=True)
        model.load_state_dict(weights, assign=True)

    return run


def floor_read(path: str) -> Run:
    import brickwork_models  # noqa: F401
    import torch

    def run() -> None:
        with torch.device("meta"):
            model = build()
        model.load_state_dict(torch.load(path, weights_only=True), assign=True)

    return run


def ours(path: str) -> Run:
    import brickwork_models  # noqa: F401
    import brickwork_zoo._load._load_model

    return lambda: brickwork_zoo.load_model(build, path)


def with_timm(path: str) -> Run:
    import timm

    return lambda: timm.create_model("resnet50", checkpoint_path=path)


def with_torchvision(path: str) -> Run:
    import torch
    import torchvision

    def run() -> None:
        weights = torch.load(path, weights_only=True)
        torchvision.models.resnet50().load_state_dict(weights)

    return run


CONTENDERS = {
    "floor": floor,
    "floor_read": floor_read,
    "ours": ours,
    "timm": with_timm,
    "torchvision": with_torchvision,
}


def rows(rounds: int = 9) -> Iterator[Row]:
    """Measure ours, and the peers that are installed, from the cache and from a local file."""
    import torch

    peers = [name for name in ("timm", "torchvision") if importable(name)]
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / "resnet50.pth"
        cached = Path(folder) / "home" / "checkpoints" / "x" / "resnet50.pth"
        torch.save(build().state_dict(), local)
        cached.parent.mkdir(parents=True)
        cached.hardlink_to(local)
        os.environ["BRICKWORK_HOME"] = str(Path(folder) / "home")
        for place, path, floor_name, floor_is in (
            ("from the cache", cached, "floor", "meta, mmap, assign"),
            ("local file", local, "floor_read", "meta, torch.load, assign"),
        ):
            names = {FLOOR: floor_name, OURS: "ours", **{peer: peer for peer in peers}}
            times: dict[str, list[float]] = {who: [] for who in names}
            for _ in range(rounds):
                for who, name in names.items():
                    times[who].append(fresh(__file__, name, path))
            values = {who: statistics.median(runs) for who, runs in times.items()}
            yield Row(f"ResNet-50 built and loaded, {place}", floor_is, "ms", values, at_most=1.3)


def measure(name: str, path: str) -> None:
    """Run one contender in this process and print milliseconds."""
    import torch

    torch.set_num_threads(1)
    run = CONTENDERS[name](path)
    gc.collect()
    gc.disable()  # as `take_turns` does: what was imported before is not what is measured
    start = time.perf_counter()
    run()
    print(json.dumps((time.perf_counter() - start) * 1e3))


if __name__ == "__main__":
    measure(*sys.argv[1:])
