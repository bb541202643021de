"""One of several processes that train on parts of one batch: ``ddp_gradients.py FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist
from brickwork_base import Sequential
from brickwork_layers import SyncBatchNorm
from brickwork_modules import ConvModule
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


def network() -> nn.Module:
    """Build a stack of ConvModules with a norm each, the same every time."""
    torch.manual_seed(0)
    norm = dict(type="BN")
    model = Sequential(
        ConvModule(3, 8, 3, padding=1, norm_cfg=norm),
        ConvModule(8, 8, 3, stride=2, padding=1, norm_cfg=norm),
        ConvModule(8, 4, 1, norm_cfg=norm, act_cfg=None),
    )
    model.init_weights()
    return model


def batch() -> tuple[Tensor, Tensor]:
    """Draw a batch ``(8, 3, 9, 9)`` and targets, the same every time."""
    torch.manual_seed(1)
    return torch.randn(8, 3, 9, 9) * 3 + 5, torch.randn(8, 4, 5, 5)


def step(model: nn.Module, x: Tensor, target: Tensor) -> None:
    """Compute the gradients of the mean squared error."""
    nn.functional.mse_loss(model(x), target).backward()


def main(folder: Path) -> None:
    dist.init_process_group("gloo")
    rank, world = dist.get_rank(), dist.get_world_size()
    model = DistributedDataParallel(network())
    SyncBatchNorm.convert_sync_batchnorm(model)
    assert sum(isinstance(one, SyncBatchNorm) for one in model.modules()) == 3
    x, target = batch()
    step(model, x[rank::world], target[rank::world])
    grads = {name: p.grad for name, p in model.module.named_parameters()}
    torch.save((grads, dict(model.module.named_buffers())), folder / f"{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
