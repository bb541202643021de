"""One rank of the tests of sharded models; started by test_zoo_load_distributed.py."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import brickwork_zoo as zoo
import pytest
import torch
import torch.distributed as dist
from brickwork_init import deferred, is_loaded
from brickwork_zoo.errors import (
    CacheError,
    CheckpointError,
    InvalidInputError,
    MismatchError,
)
from torch import Tensor, nn
from torch.distributed.checkpoint import save
from torch.distributed.checkpoint.state_dict import get_model_state_dict
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)

from tests.support.sharding import full_tensor, mesh_for

FILES = ("net.pth", "net.legacy.pth", "net.safetensors", "dcp")
PARALLEL = {"fc": ColwiseParallel(), "head": RowwiseParallel(), "even": ColwiseParallel()}


class Net(nn.Module):
    """Model with layers whose sizes are not divisible by the number of processes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 7, 3)
        self.norm = nn.BatchNorm2d(7)
        self.fc = nn.Linear(5, 3)
        self.head = nn.Linear(6, 9)
        self.even = nn.Linear(4, 8)
        self.shared = nn.Linear(4, 8)
        self.shared.weight = self.even.weight
        self.scale = nn.Parameter(torch.tensor([2.0]))
        self.register_buffer("steps", torch.arange(4))
        self.register_buffer("small", torch.arange(3, dtype=torch.int16))
        self.register_buffer("number", torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x)).sum() + self.scale + self.even(x.new_ones(2, 4)).sum()


def sharded(how: str, late: bool) -> nn.Module:
    """Build a sharded model with different values on each rank."""
    torch.manual_seed(1 + dist.get_rank())
    with deferred() if late else torch.device("cpu"):
        model = Net()
    mesh = mesh_for(how)
    if "parallel" in how:
        parallelize_module(model, mesh["parallel"], PARALLEL)
        if "only" in how:
            return model
        mesh = mesh["shard"]
    for part in (model.conv, model.norm, model.fc, model.head) if how != "flat" else ():
        fully_shard(part, mesh=mesh)
    return fully_shard(model, mesh=mesh)


def check(model: nn.Module, expected: dict[str, Tensor], *, runs: bool) -> None:
    state = model.state_dict()
    assert state.keys() == expected.keys()
    for key, value in state.items():
        actual = full_tensor(value)
        assert actual.dtype == expected[key].dtype, key
        assert torch.equal(actual, expected[key]), key
    assert all(is_loaded(model, name) for name, _ in model.named_parameters())
    if runs:
        model(torch.randn(2, 3, 4, 4)).sum().backward()


def load_in_every_way(folder: Path, how: str) -> None:
    """Load files and folders, on each rank or from rank 0."""
    expected = torch.load(folder / "net.pth")
    first = dist.get_rank() == 0
    for late in (False, True):
        for broadcast in (False, True):
            for file in (*FILES, f"dcp.{how}"):
                model = sharded(how, late)
                # with broadcast, only rank 0 has the file
                path = folder / file if first or not broadcast else "/nowhere"
                actual = zoo.load_checkpoint(
                    model, path, strict=True, broadcast=broadcast, return_weights=not late
                )
                check(model, expected, runs="parallel" not in how)
                if late:
                    state = zoo.select_state_dict(actual)
                    assert all(value.is_meta for value in state.values())
                if how == "row" and not late:
                    assert len(model.conv.weight.to_local()) <= -(-7 // dist.get_world_size())


def load_sharded_state_dict(folder: Path, how: str) -> None:
    """Load the state dict of a model that is sharded in another way."""
    expected = torch.load(folder / "net.pth")
    source = sharded("row", late=False)
    zoo.load_checkpoint(source, folder / "net.pth", strict=True)
    for model in (sharded(how, late=False), Net()):
        zoo.load_state_dict(model, source.state_dict(), strict=True)
        check(model, expected, runs=False)
        zoo.load_state_dict(model, source.state_dict(), strict=True, broadcast=True)
        check(model, expected, runs=False)


def adapt(folder: Path, how: str) -> None:
    """Check that adapters get full tensors, and that the loaded model can be converted."""
    expected = torch.load(folder / "net.pth")
    adapter = zoo.adapt_classes(["fc.weight", "fc.bias"], [2, -1, 0])
    for broadcast in (False, True):
        model = sharded(how, late=False)
        zoo.load_checkpoint(model, folder / "net.pth", strict=True)
        for file in ("net.pth", "dcp"):
            zoo.load_checkpoint(model, folder / file, adapters=[adapter], broadcast=broadcast)
            actual = full_tensor(model.fc.weight)
            assert torch.equal(actual, expected["fc.weight"][[2, 1, 0]])
        model.to(torch.bfloat16)  # swaps the tensors, which those with weak references refuse
        assert {p.dtype for p in model.parameters()} == {torch.bfloat16}


def save_in_every_way(folder: Path, how: str) -> None:
    """Save on all ranks after a training step, and load in one process."""
    model = sharded(how, late=False)
    zoo.load_checkpoint(model, folder / "net.pth", strict=True)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 3, 4, 4)).backward()
    optimizer.step()
    expected = {name: full_tensor(value).clone() for name, value in model.state_dict().items()}
    moments = {
        name: full_tensor(optimizer.state[parameter]["exp_avg"]).clone()
        for name, parameter in model.named_parameters()
        if parameter in optimizer.state
    }
    model(torch.ones(2, 3, 4, 4))  # leaves full tensors that FSDP2 has not resharded
    for ending in ("pth", "safetensors", "dcp"):
        path = folder / f"saved.{how}.{ending}"
        saved = None if ending == "safetensors" else optimizer
        zoo.save_checkpoint(model, path, saved, meta={"epoch": 3})
        plain = Net()
        checkpoint = zoo.load_checkpoint(plain, path, strict=True)
        for name, value in plain.state_dict().items():
            if "running" not in name and "num_batches" not in name:  # changed by the forward pass
                assert torch.equal(value, expected[name]), name
        if ending == "safetensors":
            continue
        assert checkpoint["meta"]["epoch"] == 3
        if ending == "pth":
            again = torch.optim.Adam(plain.parameters())
            again.load_state_dict(checkpoint["optimizer"])
            for name, parameter in plain.named_parameters():
                if name in moments:
                    assert torch.equal(again.state[parameter]["exp_avg"], moments[name]), name
        else:
            state = checkpoint["optimizer"]["state"]
            assert all(torch.equal(state[n]["exp_avg"] + 0, moments[n]) for n in moments)
            with pytest.raises(InvalidInputError, match="exists"):
                zoo.save_checkpoint(model, path)
        reloaded = sharded(how, late=False)
        reloaded(torch.ones(2, 3, 4, 4))
        zoo.load_checkpoint(reloaded, path, strict=True)
        assert all(
            torch.equal(full_tensor(value), expected[name])
            for name, value in reloaded.named_parameters()
        )
    with pytest.raises(CacheError, match="cannot write"):
        zoo.save_checkpoint(model, folder / "net.pth" / "inside.pth")
    for ending in ("pth", "dcp"):
        with pytest.raises((InvalidInputError, AttributeError), match="pickle"):
            zoo.save_checkpoint(model, folder / f"never.{ending}", meta={"bad": lambda: None})
        assert not (folder / f"never.{ending}").exists()
    dist.barrier()
    assert not list(folder.glob(".*"))


def fail_on_every_rank(folder: Path) -> None:
    """Check that each process raises the error with its complete message."""
    first = dist.get_rank() == 0
    for broadcast in (False, True):
        for file in ("bad.pth", "bad.dcp"):
            model = sharded("row", late=False)
            before = {k: full_tensor(v).clone() for k, v in model.state_dict().items()}
            path = folder / file if first or not broadcast else "/nowhere"
            with pytest.raises(MismatchError, match=r"(?s)fc\.bias.*more.*head\.bias: \[4\]"):
                zoo.load_checkpoint(model, path, strict=True, broadcast=broadcast)
            assert all(
                torch.equal(full_tensor(v), before[k]) for k, v in model.state_dict().items()
            )
        for file in ("broken.pth", "broken.dcp"):
            path = folder / file if first or not broadcast else "/nowhere"
            model = sharded("row", late=False)
            before = {k: full_tensor(v).clone() for k, v in model.state_dict().items()}
            with pytest.raises(CheckpointError, match="broken"):
                zoo.load_checkpoint(model, path, broadcast=broadcast)
            assert all(
                torch.equal(full_tensor(v), before[k]) for k, v in model.state_dict().items()
            )


def main(name: str, *ways: str) -> None:
    folder = Path(name)
    warnings.simplefilter("ignore")
    dist.init_process_group("gloo")
    for how in ways:
        model = sharded(how, late=False)
        zoo.load_checkpoint(model, folder / "net.pth", strict=True)
        save({"model": get_model_state_dict(model)}, checkpoint_id=folder / f"dcp.{how}")
        load_in_every_way(folder, how)
        load_sharded_state_dict(folder, how)
        adapt(folder, how)
    save_in_every_way(folder, ways[0])
    plain = Net()
    path = folder / "net.pth" if dist.get_rank() == 0 else "/nowhere"
    zoo.load_checkpoint(plain, path, broadcast=True)
    check(plain, torch.load(folder / "net.pth"), runs=True)
    fail_on_every_rank(folder)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
