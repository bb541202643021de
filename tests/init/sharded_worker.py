"""One process of a model sharded by FSDP2; run by test_init_sharded.py, not by pytest.

Its meshes have one dimension, or two: replicas of shards (HSDP), or shards by FSDP2 of the shards
of tensor parallelism.
"""

from __future__ import annotations

import sys

import torch
import torch.distributed as dist
from brickwork_base import BaseModule, Sequential
from brickwork_init import deferred, init_report, uninitialized
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.parallel import (
    ColwiseParallel,
    RowwiseParallel,
    parallelize_module,
)

from tests.support.sharding import full_tensor, mesh_for

RULES = [
    {"type": "Kaiming", "layer": "Conv2d"},
    {"type": "TruncNormal", "layer": "Linear", "std": 0.02, "bias": 0.5},
    {"type": "Uniform", "layer": "BatchNorm2d"},
]


class Block(BaseModule):
    """Layers whose first dimension does not divide by the number of processes."""

    def __init__(self, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(3, 7, 3)
        self.norm = nn.BatchNorm2d(7)
        self.fc = nn.Linear(5, 3)
        self.head = nn.Linear(5, 9)
        self.register_buffer("steps", torch.arange(4), persistent=False)

    def init_weights(self) -> None:
        super().init_weights()
        nn.init.normal_(self.head.weight, std=0.1)
        self.head.bias.data.uniform_(-1, 1)


def build() -> Sequential:
    orthogonal = {"type": "Orthogonal", "layer": "Linear"}
    return Sequential(Block(orthogonal), Block(), init_cfg=RULES)


PARALLEL = {"fc": ColwiseParallel(), "head": RowwiseParallel()}


def initialized_state(layout: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Build a model, shard it in a layout and initialize it.

    Returns:
        The full values by name, and the kinds of their sources.
    """
    mesh = mesh_for(layout)
    if "deferred" in layout:
        with deferred():
            model = build()
    else:
        with torch.device("meta" if layout == "meta" else "cpu"):
            model = build()
    if layout == "loaded":
        ones = {"conv.weight": torch.ones(7, 3, 3, 3), "conv.bias": torch.ones(7)}
        model[0].load_state_dict(ones, strict=False)
    if "parallel" in layout:
        for block in model:
            parallelize_module(block, mesh["parallel"], PARALLEL)
        mesh = mesh["shard"]
    for block in model:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    if layout == "meta":
        model.to_empty(device="cpu")
        for block in model:
            block.norm.reset_running_stats()
            block.steps.copy_(torch.arange(4))
    torch.manual_seed(3)
    model.init_weights()
    assert uninitialized(model) == []
    kinds = {origin.name: origin.source.kind for origin in init_report(model)}
    state = {name: full_tensor(value).clone() for name, value in model.state_dict().items()}
    steps = model[0].steps.clone()
    model.to(torch.bfloat16)  # swaps the tensors, which those with weak references refuse
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert {origin.name: origin.source.kind for origin in init_report(model)} == kinds
    return {**state, "steps": steps}, kinds


def main(result: str, *layouts: str) -> None:
    """Save the results of all layouts for this process."""
    dist.init_process_group("gloo")
    states = {layout: initialized_state(layout) for layout in layouts}
    torch.save(states, f"{result}.{dist.get_rank()}")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(*sys.argv[1:])
