"""What a checkpoint costs: time and peak memory against their floors, each in a fresh process.

Run as ``python tests/benchmarks/bench_checkpoint.py [--size GB] [--rounds N] [--json FILE]``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WIDTH = 4096
LAYER_BYTES = 4 * (WIDTH * WIDTH + WIDTH)


def network(layers: int):
    """A stack of linear layers: many bytes, few Python objects."""
    from torch import nn

    return nn.Sequential(*(nn.Linear(WIDTH, WIDTH) for _ in range(layers)))


def write(path: Path, layers: int, *, legacy: bool) -> None:
    """A checkpoint of the network."""
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


def mmcv_existing(path: Path, layers: int, model=None):
    from mmcv.runner import load_checkpoint

    load_checkpoint(model, str(path), map_location="cpu")
    return model


def mmcv_ready(path: Path, layers: int):
    from mmcv.runner import load_checkpoint

    model = network(layers)
    load_checkpoint(model, str(path), map_location="cpu")
    return model


# Line -> (legacy file, model is there before, floor, ours, mmcv, most for time, for memory)
LINES = {
    "ready model": (False, False, floor_ready, ours_ready, mmcv_ready, 1.3, 1.05),
    "ready model, legacy file": (True, False, floor_legacy, ours_ready, mmcv_ready, 1.2, 1.1),
    "into an existing model": (False, True, floor_existing, ours_existing, mmcv_existing, 1.2, 1.1),
}


def peak() -> float:
    """Megabytes that this process held at most.

    Not by ``getrusage``, whose value a child takes over from the process that started it.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the peak is read from /proc, which this system does not have")


def measure(function: str, path: Path, layers: int, existing: bool) -> None:
    """Run one function in this process and print seconds and megabytes."""
    import torch  # noqa: F401  its import is not what is measured

    run = globals()[function]
    if function.startswith("ours"):
        import brickwork_zoo._checkpoint  # noqa: F401  nor this
    if function.startswith("mmcv"):
        import mmcv.runner  # noqa: F401  nor this
    options = {"model": prepare_existing(layers)} if existing else {}
    start = time.perf_counter()
    model = run(path, layers, **options)
    seconds = time.perf_counter() - start
    assert float(model[layers - 1].weight[0, 0]) == layers - 1
    print(json.dumps([seconds, peak()]))


def fresh(function: str, path: Path, layers: int, existing: bool) -> list[float]:
    """Seconds and megabytes of one run in a fresh process."""
    command = [sys.executable, __file__, "--measure", function, "--path", str(path)]
    command += ["--layers", str(layers), *(["--existing"] if existing else [])]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def table(layers: int, rounds: int) -> list[dict[str, object]]:
    """Measure every line, the contestants of a line in turn."""
    peers = importlib.util.find_spec("mmcv") is not None
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, (legacy, existing, floor, ours, mmcv, most_time, most_memory) in LINES.items():
            path = Path(folder) / f"{'legacy' if legacy else 'zip'}.pth"
            if not path.exists():
                write(path, layers, legacy=legacy)
            contestants = {"floor": floor, "brickwork": ours} | ({"mmcv": mmcv} if peers else {})
            runs: dict[str, list[list[float]]] = {who: [] for who in contestants}
            for _ in range(rounds):
                for who, function in contestants.items():
                    runs[who].append(fresh(function.__name__, path, layers, existing))
            for index, (unit, most) in enumerate((("s", most_time), ("MB", most_memory))):
                middle = {
                    who: statistics.median(run[index] for run in found)
                    for who, found in runs.items()
                }
                ratio = middle["brickwork"] / middle["floor"]
                rows.append({"cost": name, "unit": unit, **middle, "ratio": ratio, "at most": most})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=1.2, help="GB of the checkpoint")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--layers", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--existing", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.measure, args.path, args.layers, args.existing)
        return
    rows = table(max(1, round(args.size * 1e9 / LAYER_BYTES)), args.rounds)
    for row in rows:
        peer = f"  mmcv {row['mmcv']:9.3f}" if "mmcv" in row else ""
        print(
            f"{row['cost']:26} {row['unit']:2}  floor {row['floor']:9.3f}  "
            f"brickwork {row['brickwork']:9.3f}  ratio {row['ratio']:5.2f} "
            f"(at most {row['at most']}){peer}"
        )
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
