"""One of two processes that normalize a batch together: ``sync_bn_worker.py FOLDER``."""

import sys
from pathlib import Path

import brickwork_layers as layers
import torch
import torch.distributed as dist
from torch import nn

PLAIN = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
CASES = {
    "image": ({}, (6, 3, 4, 5)),
    "vectors": ({}, (6, 3)),
    "volume": ({"momentum": None}, (6, 3, 2, 2, 2)),
    "bare": ({"affine": False, "track_running_stats": False}, (6, 3, 4)),
}
CUTS = (2, 0)  # unequal parts, and a process without any sample


def batch(shape: tuple[int, ...]) -> torch.Tensor:
    """Return a batch with a large mean, where a naive variance loses precision."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)) * 3 + 100


def weighted(out: torch.Tensor, start: int) -> torch.Tensor:
    """Return a loss whose gradient differs between the elements of the whole batch."""
    first = start * out[:1].numel() if len(out) else 0
    factors = torch.sin(torch.arange(first, first + out.numel(), dtype=out.dtype))
    return (out * factors.view_as(out)).sum()


def main(folder: Path) -> None:
    """Normalize this process's part of each case and save outputs, gradients and states."""
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    results = {}
    for name, (options, shape) in CASES.items():
        for cut in CUTS:
            layer = layers.SyncBatchNorm(3, **options)
            part = batch(shape)[:cut] if rank == 0 else batch(shape)[cut:]
            part.requires_grad_()
            out = layer(part)
            weighted(out, rank * cut).backward()
            grads = [p.grad.clone() for p in layer.parameters()]
            for grad in grads:
                dist.all_reduce(grad)
            results[name, cut] = (out.detach(), part.grad, grads, layer.state_dict())
    alone = [dist.new_group([member]) for member in range(2)][rank]
    layer = layers.SyncBatchNorm(3, process_group=alone)
    x = torch.randn(4, 3, 2) + rank
    results["alone"] = (layer(x).detach(), nn.BatchNorm1d(3)(x).detach())
    torch.save(results, folder / f"{rank}.pt")
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
