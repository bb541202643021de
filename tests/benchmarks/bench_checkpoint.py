"""What a checkpoint costs: time and peak memory against their floors, each in a fresh process.

A file in the zoo's cache is mapped; a file at a path of the user's own is read.
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
from typing import Any, NamedTuple

from harness import FLOOR, OURS, Row, fresh, importable

WIDTH = 4096
LAYER_BYTES = 4 * (WIDTH * WIDTH + WIDTH)


def network(layers: int):
    """Build a stack of linear layers: many bytes, few Python objects."""
    from torch import nn

    return nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(layers)))


def write(path: Path, layers: int, *, legacy: bool) -> None:
    """Build a checkpoint of the network."""
    import torch

    tensors = {}
    for n in range(layers):
        tensors[f"{n}.weight"] = torch.full((WIDTH, WIDTH), float(n))
        tensors[f"{n}.bias"] = torch.full((WIDTH,), float(n))
    torch.save({"state_dict": tensors}, path, _use_new_zipfile_serialization=not legacy)


def floor_ready(path: Path, layers: int):
    import torch

    with torch.device("meta"):
        model = network(layers)
    state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)["state_dict"]
    model.load_state_dict(state, assign=True)
    return model


def floor_legacy(path: Path, layers: int):
    import torch

    with torch.device("meta"):
        model = network(layers)
    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    model.load_state_dict(state, assign=True)
    return model


def floor_read(path: Path, layers: int) -> None:
    """Read the file once, into memory that is not there before."""
    import torch

    memory = torch.empty(path.stat().st_size, dtype=torch.uint8).numpy()
    with path.open("rb", buffering=0) as file:
        done = 0
        while count := file.readinto(memory[done:]):
            done += count


def floor_read_existing(path: Path, layers: int, model=None):
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    model.load_state_dict(state)
    return model


def ours_ready(path: Path, layers: int):
    from brickwork_zoo import load_model

    return load_model(lambda: network(layers), path)


def prepare_existing(layers: int):
    import torch
    from torch.nn.utils import skip_init

    model = torch.nn.Sequential(*(skip_init(torch.nn.Linear, WIDTH, WIDTH) for _ in range(layers)))
    for parameter in model.parameters():
        parameter.data.zero_()  # its memory is there before the clock starts
    return model


def floor_existing(path: Path, layers: int, model=None):
    import torch

    state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)["state_dict"]
    model.load_state_dict(state)
    return model


def ours_existing(path: Path, layers: int, model=None):
    from brickwork_zoo import load_checkpoint

    load_checkpoint(model, str(path), map_location="cpu")
    return model


def ours_straight(path: Path, layers: int, model=None):
    from brickwork_zoo import load_checkpoint

    load_checkpoint(model, str(path), map_location="cpu", return_weights=False)
    return model


def floor_straight(path: Path, layers: int, model=None):
    """Read the file once, into the memory of the model."""
    left = path.stat().st_size
    with path.open("rb", buffering=0) as file:
        for parameter in model.parameters():
            memory = parameter.detach().view(-1).numpy().view("uint8")
            done = 0
            while done < min(len(memory), left):
                done += file.readinto(memory[done:])
    model[layers - 1].weight.data.fill_(layers - 1)  # of the bytes, all is read and nothing used
    return model


def mmcv_existing(path: Path, layers: int, model=None):
    from mmcv.runner import load_checkpoint

    load_checkpoint(model, str(path), map_location="cpu")
    return model


def mmcv_ready(path: Path, layers: int):
    from mmcv.runner import load_checkpoint

    model = network(layers)
    load_checkpoint(model, str(path), map_location="cpu")
    return model


def passed_over(ready: Callable[..., Any]) -> Callable[..., Any]:
    """Also read each weight once: a mapped file is not read before."""

    def run(path: Path, layers: int) -> Any:
        model = ready(path, layers)
        for parameter in model.parameters():
            parameter.sum()
        return model

    return run


floor_passed, ours_passed, mmcv_passed = map(passed_over, (floor_ready, ours_ready, mmcv_ready))
CONTESTANTS = {
    name: run for name, run in globals().items() if name.startswith(("floor_", "ours_", "mmcv_"))
}


class Line(NamedTuple):
    """One line of the table."""

    floor_is: str
    file: str  # "cached", "local" or "legacy"
    existing: bool  # the model, before the clock starts
    floor: Callable[..., Any]
    ours: Callable[..., Any]
    mmcv: Callable[..., Any]
    time: float  # most, as ratios
    memory: float


MAPPED, LOADED, COPIED = "meta + mmap + assign", "meta + torch.load + assign", "mmap + one copy"
READ, COPY = "one read of the file", "torch.load + one copy"
LINES = {
    "ready model, from the cache": Line(
        MAPPED, "cached", False, floor_ready, ours_ready, mmcv_ready, 1.3, 1.05
    ),
    "ready model and a pass over it, from the cache": Line(
        MAPPED, "cached", False, floor_passed, ours_passed, mmcv_passed, 1.3, 1.05
    ),
    "ready model, local file": Line(
        READ, "local", False, floor_read, ours_ready, mmcv_ready, 1.2, 1.05
    ),
    "ready model, legacy file": Line(
        LOADED, "legacy", False, floor_legacy, ours_ready, mmcv_ready, 1.2, 1.1
    ),
    "load_checkpoint into a model, from the cache": Line(
        COPIED, "cached", True, floor_existing, ours_existing, mmcv_existing, 1.2, 1.1
    ),
    "load_checkpoint into a model, local file": Line(
        COPY, "local", True, floor_read_existing, ours_existing, mmcv_existing, 1.2, 1.1
    ),
    "load_checkpoint without weights, local file": Line(
        READ, "local", True, floor_straight, ours_straight, mmcv_existing, 1.2, 1.05
    ),
}


def name_of(run: Callable[..., Any]) -> str:
    """Return the name under which a fresh process finds a contestant."""
    return next(name for name, known in CONTESTANTS.items() if known is run)


def peak() -> float:
    """Megabytes that this process held at most.

    Not by ``getrusage``, whose value a child takes over from the process that started it.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the peak is read from /proc, which this system does not have")


def measure(function: str, path: Path, layers: int, existing: bool) -> None:
    """Run one function in this process and print milliseconds and megabytes."""
    import torch  # noqa: F401  its import is not what is measured

    run = CONTESTANTS[function]
    if function.startswith("ours"):
        import brickwork_zoo._load._load_model  # noqa: F401  nor this
    if function.startswith("mmcv"):
        import mmcv.runner  # noqa: F401  nor this
    options = {"model": prepare_existing(layers)} if existing else {}
    gc.collect()
    gc.disable()  # as `take_turns` does: what was imported before is not what is measured
    start = time.perf_counter()
    model = run(path, layers, **options)
    seconds = time.perf_counter() - start
    assert model is None or float(model[layers - 1].weight[0, 0]) == layers - 1
    print(json.dumps([seconds * 1e3, peak()]))


def file_of(folder: Path, kind: str, layers: int) -> Path:
    """Return the file of one kind, written at its first use."""
    home = Path(os.environ.setdefault("BRICKWORK_HOME", str(folder / "home")))
    local = folder / "local.pth"
    paths = {"cached": home / "checkpoints" / "x" / "cached.pth", "local": local}
    path = paths.get(kind, folder / "legacy.pth")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "cached":
            path.hardlink_to(file_of(folder, "local", layers))
        else:
            write(path, layers, legacy=kind == "legacy")
    return path


def rows(rounds: int = 5, gigabytes: float = 1.2) -> Iterator[Row]:
    """Measure every line, the contestants of a line in turn."""
    layers = round(gigabytes * 1e9 / LAYER_BYTES)
    peers = importable("mmcv.runner")
    with tempfile.TemporaryDirectory() as folder:
        for name, line in LINES.items():
            path = file_of(Path(folder), line.file, layers)
            contestants = {FLOOR: line.floor, OURS: line.ours}
            if peers:
                contestants["mmcv"] = line.mmcv
            runs: dict[str, list[list[float]]] = {who: [] for who in contestants}
            for _ in range(rounds):
                for who, function in contestants.items():
                    arguments = name_of(function), path, layers, int(line.existing)
                    runs[who].append(fresh(__file__, *arguments))
            cost = f"{name}, {gigabytes:g} GB"
            for index, (what, unit, at_most) in enumerate(
                ((cost, "ms", line.time), (f"{cost}, peak memory", "MB", line.memory))
            ):
                values = {
                    who: statistics.median(run[index] for run in found)
                    for who, found in runs.items()
                }
                yield Row(what, line.floor_is, unit, values, at_most=at_most)


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), bool(int(sys.argv[4])))
