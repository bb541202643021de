"""One process of a model that several share; run by test_zoo_load_distributed.py, not by pytest."""

import sys
import warnings

import brickwork_zoo as zoo
import pytest
import torch
import torch.distributed as dist
from brickwork_init import deferred, is_loaded
from brickwork_zoo.errors import CheckpointError, MismatchError
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

warnings.simplefilter("ignore")
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
    zoo.load_checkpoint(
        model, f"{folder}/net.pth" if rank == 0 else "/nowhere", strict=True, broadcast=True
    )
    check(model)
plain = net()
zoo.load_checkpoint(plain, f"{folder}/net.pth" if rank == 0 else "/nowhere", broadcast=True)
check(plain)

for broadcast in (False, True):  # the error reaches each process
    with pytest.raises(MismatchError, match=r"(?s)2\.bias.*more|more.*2\.bias"):
        zoo.load_checkpoint(sharded(), f"{folder}/bad.pth", strict=True, broadcast=broadcast)
    with pytest.raises(CheckpointError, match=r"broken\.pth"):
        zoo.load_checkpoint(sharded(), f"{folder}/broken.pth", broadcast=broadcast)

dist.destroy_process_group()
