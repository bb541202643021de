"""Measure every cost relative to its floor and write the table, the numbers and a plot.

    hatch run bench [PART ...] [--quick] [--json FILE] [--plot FILE]

The parts are the files `bench_*.py`; each has a function `rows`. A run of some parts updates their
numbers in the file and keeps the others, if they were measured with the same versions.
"""

from __future__ import annotations

import argparse
import importlib
import platform
from importlib.metadata import PackageNotFoundError, version
from itertools import chain
from pathlib import Path

import torch
from harness import load, plot, render, save

HERE = Path(__file__).parent
PARTS = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
KNOWN = ("brickwork", "torch", "torchvision", "mmcv", "mmengine", "timm", "pooch")


def versions() -> dict[str, str]:
    """Return the versions that were measured."""
    about = {"python": platform.python_version(), "threads": str(torch.get_num_threads())}
    for name in KNOWN:
        try:
            about[name] = version(name)
        except PackageNotFoundError:
            continue
    return about


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="smoke test with few rounds")
    parser.add_argument("--json", type=Path, default=Path("docs/_build/benchmarks/benchmarks.json"))
    parser.add_argument("--plot", type=Path, default=Path("docs/_build/benchmarks/benchmarks.png"))
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"PART must be one of {', '.join(PARTS)}, got {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    about = versions()
    table = load(args.json, about) if args.parts else {}
    for part in args.parts or PARTS:
        print(f"{part} ...", flush=True)
        module = importlib.import_module(f"bench_{part}")
        table[part] = list(module.rows(**({"rounds": 2} if args.quick else {})))
        table = {part: table[part] for part in PARTS if part in table}
        save(table, args.json, about)  # at once: a run takes minutes and may be cut short
    print(f"\n{render(chain(*table.values()))}\n")
    plot(table, args.plot)
    print(f"numbers: {args.json}\nplot: {args.plot}")


if __name__ == "__main__":
    main()
