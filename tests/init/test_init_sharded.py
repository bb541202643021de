"""A model sharded over real processes gets the values that one process draws."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

WORKER = Path(__file__).with_name("sharded_worker.py")


def run(world: int, how: str, folder: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Run the worker in `world` processes that meet through a file, and read what rank 0 saved."""
    processes = [
        subprocess.Popen(
            [sys.executable, WORKER, how, str(world), str(rank), folder / "store", folder / "out"],
            env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(world)
    ]
    outputs = [process.communicate(timeout=120)[0] for process in processes]
    for process, output in zip(processes, outputs, strict=True):
        assert process.returncode == 0, output
    state, kinds = torch.load(folder / "out", weights_only=True)
    return state, kinds


@pytest.fixture(scope="module")
def alone() -> dict[str, torch.Tensor]:
    """The values of a single process without any sharding."""
    model = runpy.run_path(str(WORKER))["build"]()
    torch.manual_seed(3)
    model.init_weights()
    return {**model.state_dict(), "steps": torch.arange(4)}


@pytest.mark.parametrize(
    ("world", "how"), [(1, "plain"), (2, "plain"), (4, "plain"), (2, "meta"), (2, "deferred")]
)
def test_each_process_holds_its_shard_of_the_same_values(
    world: int, how: str, alone: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    state, kinds = run(world, how, tmp_path)
    assert state.keys() == alone.keys()
    for name, value in alone.items():
        assert torch.equal(state[name], value), name
    assert kinds["0.conv.weight"] == "rule"
    assert kinds["0.head.weight"] == kinds["1.head.bias"] == "code"
