"""Loading into models that several real processes share, over gloo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

WORKER = """
import os, sys, warnings
warnings.simplefilter("ignore")
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
import brickwork_zoo as zoo
from brickwork_init import deferred, is_loaded
from brickwork_zoo.errors import CheckpointError, MismatchError

folder = sys.argv[1]
dist.init_process_group("gloo")
rank, ranks = dist.get_rank(), dist.get_world_size()
expected = torch.load(f"{folder}/net.pth")

def net():
    torch.manual_seed(rank)
    return nn.Sequential(nn.Linear(6, 10), nn.BatchNorm1d(10), nn.Linear(10, 7))

def sharded(late=False):
    if late:
        with deferred():
            model = net()
    else:
        model = net()
    mesh = init_device_mesh("cpu", (ranks,))
    fully_shard(model[0], mesh=mesh)
    return fully_shard(model, mesh=mesh)

def check(model):
    for key, value in model.state_dict().items():
        whole = value.full_tensor() if hasattr(value, "full_tensor") else value
        assert torch.equal(whole, expected[key]), key
    assert all(is_loaded(parameter) for parameter in model.parameters())
    model(torch.randn(4, 6)).sum().backward()

for file in ("net.pth", "net.legacy.pth", "net.safetensors", "dcp"):
    for late in (False, True):
        model = sharded(late)
        zoo.load_checkpoint(model, f"{folder}/{file}", strict=True)
        check(model)
        assert model[0].weight.to_local().shape[0] <= -(-10 // ranks)

for late in (False, True):
    model = sharded(late)
    # only rank 0 has the file
    zoo.load_checkpoint(model, f"{folder}/net.pth" if rank == 0 else "/nowhere", strict=True,
                        broadcast=True)
    check(model)
plain = net()
zoo.load_checkpoint(plain, f"{folder}/net.pth" if rank == 0 else "/nowhere", broadcast=True)
check(plain)

for broadcast in (False, True):
    try:
        zoo.load_checkpoint(sharded(), f"{folder}/bad.pth", strict=True, broadcast=broadcast)
    except MismatchError as error:
        assert "more" in str(error) and "2.bias" in str(error)
    else:
        raise AssertionError("no error on this rank")
    try:
        zoo.load_checkpoint(sharded(), f"{folder}/broken.pth", broadcast=broadcast)
    except CheckpointError as error:
        assert "broken.pth" in str(error)
    else:
        raise AssertionError("no error on this rank")

dist.barrier()
print("done", flush=True)
os._exit(0)  # gloo's threads may abort an interpreter that ends in the ordinary way
"""


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("ranks", [2, 4])
def test_every_rank_gets_its_shard_or_the_error(tmp_path, ranks):
    from safetensors.torch import save_file
    from torch.distributed.checkpoint import save

    model = nn.Sequential(nn.Linear(6, 10), nn.BatchNorm1d(10), nn.Linear(10, 7))
    state = model.state_dict()
    torch.save(state, tmp_path / "net.pth")
    torch.save(state, tmp_path / "net.legacy.pth", _use_new_zipfile_serialization=False)
    save_file(dict(state), tmp_path / "net.safetensors")
    save({"model": state}, checkpoint_id=tmp_path / "dcp")
    bad = {**state, "more": torch.ones(1)}
    del bad["2.bias"]
    torch.save(bad, tmp_path / "bad.pth")
    (tmp_path / "broken.pth").write_bytes((tmp_path / "net.pth").read_bytes()[:500])
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    for code, output in run(script, tmp_path, ranks):
        assert code == 0, output
        assert output.endswith("done\n"), output


def run(script: Path, folder: Path, ranks: int) -> list[tuple[int, str]]:
    """Run a script in as many processes of one group; exit codes and outputs."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(ranks)}
    workers = [
        subprocess.Popen(
            [sys.executable, str(script), str(folder)],
            env={**os.environ, **group, "RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(ranks)
    ]
    try:
        return [(one.wait(120), one.stdout.read() if one.stdout else "") for one in workers]
    finally:
        for one in workers:
            one.kill()
