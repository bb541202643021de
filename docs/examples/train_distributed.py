"""Train one model from one config in one process, under DDP or sharded with FSDP2.

    python docs/examples/train_distributed.py
    torchrun --nproc-per-node 2 docs/examples/train_distributed.py --strategy ddp
    torchrun --nproc-per-node 2 docs/examples/train_distributed.py --strategy fsdp

The handwritten digits come with scikit-learn. All three use the same batches, start with the same
weights and normalize over the whole batch, so their losses are equal. A killed run continues with
``--resume`` and ends with the same weights as one that was not killed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from brickwork_base import BaseModule, Sequential
from brickwork_init import deferred
from brickwork_layers import SyncBatchNorm
from brickwork_models import MODELS, build_model
from brickwork_modules import ConvModule
from brickwork_zoo import load_checkpoint, save_checkpoint
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel
from torch.optim import SGD, Optimizer

CONFIG = dict(
    type="DigitNet",
    widths=(16, 32),
    norm_cfg=dict(type="BN"),
    init_cfg=dict(type="Xavier", layer="Linear"),  # ConvModule initializes itself
)
SEED, BATCH = 0, 64  # samples of a batch over all processes


@MODELS.register_module()
class DigitNet(BaseModule):
    """ConvModules, global average pooling and a linear layer.

    Args:
        widths: Channels of each ConvModule; all but the first halve the resolution.
        norm_cfg: Config of the norms.
        init_cfg: Rules for the weights.
    """

    def __init__(self, widths: tuple[int, ...], norm_cfg: dict, init_cfg: object) -> None:
        super().__init__(init_cfg)
        self.blocks = Sequential()
        for before, width in zip((1, *widths), widths, strict=False):
            stride = 1 if before == 1 else 2
            self.blocks.append(
                ConvModule(before, width, 3, stride=stride, padding=1, norm_cfg=norm_cfg)
            )
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits ``(N, 10)`` of images ``(N, 1, H, W)``."""
        return self.head(self.blocks(x).mean((2, 3)))


def build(strategy: str, device: torch.device) -> nn.Module:
    """Build and initialize the model; if it is sharded, no process ever holds all of it."""
    with device, deferred():  # shapes only; values follow after sharding
        model = build_model(CONFIG)
        if strategy == "fsdp":
            model = SyncBatchNorm.convert_sync_batchnorm(model)
    if strategy == "fsdp":
        mesh = init_device_mesh(device.type, (dist.get_world_size(),))
        for block in model.blocks:
            fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh)
    torch.manual_seed(SEED)
    model.init_weights()  # the same values as in a single process
    if strategy == "ddp":
        model = DistributedDataParallel(model)
        # After wrapping, because torch's DDP refuses any SyncBatchNorm on the CPU. The converted
        # layers keep their tensors, so DDP still works.
        SyncBatchNorm.convert_sync_batchnorm(model)
    return model


def digits(device: torch.device, *, unseen: bool) -> tuple[Tensor, Tensor]:
    """Return images ``(N, 1, 8, 8)`` and labels; every fifth is for the test."""
    pixels, labels = map(torch.from_numpy, load_digits(return_X_y=True))
    selected = (torch.arange(len(labels)) % 5 == 4) == unseen
    images = pixels[selected].view(-1, 1, 8, 8).to(device, torch.get_default_dtype()) / 16
    return images, labels[selected].to(device)


def batch(step: int, count: int, rank: int, world: int) -> Tensor:
    """Return the indices of this process's part of the batch of a step."""
    epoch, position = divmod(step, count // BATCH)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(SEED + epoch))
    return order[position * BATCH : (position + 1) * BATCH][rank::world]


def newest(folder: Path) -> Path | None:
    """Return the last checkpoint; incomplete ones of killed runs have other names."""
    return max(folder.glob("step-*"), default=None)


def save(folder: Path, step: int, model: nn.Module, optimizer: Optimizer, strategy: str) -> None:
    """Save a checkpoint; it gets its name when it is complete."""
    name = folder / f"step-{step:06}{'.dcp' if strategy == 'fsdp' else '.pth'}"
    if strategy != "ddp" or dist.get_rank() == 0:  # FSDP: each process writes its shards
        save_checkpoint(model, name, optimizer, meta={"step": step})


def load(path: Path, model: nn.Module, optimizer: Optimizer, strategy: str) -> int:
    """Load a checkpoint into model and optimizer and return its step."""
    checkpoint = load_checkpoint(model, path, strict=True)  # FSDP: each process reads its shards
    if strategy == "fsdp":
        moments = {"optimizer": get_optimizer_state_dict(model, optimizer)}
        dcp.load(moments, checkpoint_id=path)
        set_optimizer_state_dict(model, optimizer, moments["optimizer"])
    else:
        optimizer.load_state_dict(checkpoint["optimizer"])
    return checkpoint["meta"]["step"]


def train(args: argparse.Namespace, rank: int, world: int, device: torch.device) -> None:
    images, labels = digits(device, unseen=False)
    model = build(args.strategy, device)
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)

    start = 0
    if last := newest(args.folder):
        start = load(last, model, optimizer, args.strategy)
    for step in range(start, args.steps):
        indices = batch(step, len(labels), rank, world).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = F.cross_entropy(model(images[indices]), labels[indices])
        loss.backward()  # averaged gradients are those of the batch: its parts have equal sizes
        optimizer.step()
        optimizer.zero_grad()
        loss = loss.detach()
        if world > 1:
            dist.all_reduce(loss)
        if rank == 0:
            print(f"step {step + 1:4}  loss {loss / world:.9f}", flush=True)
        if (step + 1) % args.save_every == 0 or step + 1 == args.steps:
            save(args.folder, step + 1, model, optimizer, args.strategy)

    model.eval()
    images, labels = digits(device, unseen=True)
    with torch.no_grad():
        correct = model(images).argmax(1) == labels
    if rank == 0:
        print(f"{correct.double().mean():.1%} of {len(correct)} unseen digits recognized")


@contextmanager
def processes(strategy: str) -> Iterator[tuple[int, int, torch.device]]:
    """Initialize the process group; yield rank, number of processes and device."""
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    if strategy == "single":
        yield 0, 1, torch.device(kind)
        return
    dist.init_process_group("nccl" if kind == "cuda" else "gloo")
    try:
        device = torch.device(kind, dist.get_node_local_rank()) if kind == "cuda" else "cpu"
        if kind == "cuda":
            torch.cuda.set_device(device)
        yield dist.get_rank(), dist.get_world_size(), torch.device(device)
        dist.barrier()  # gloo may hang if a process leaves while another communicates
    finally:
        dist.destroy_process_group()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategy", choices=("single", "ddp", "fsdp"), default="single")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--folder", type=Path, default=Path("docs/_build/train"))
    parser.add_argument("--save-every", type=int, default=20, metavar="STEPS")
    parser.add_argument("--resume", action="store_true", help="continue from the last checkpoint")
    parser.add_argument("--double", action="store_true", help="compute in double precision")
    args = parser.parse_args()
    if not args.resume and newest(args.folder):
        parser.error(
            f"--folder must not have checkpoints, got {args.folder}; pass --resume to continue from"
            " the last one, or another --folder"
        )
    if args.double:
        torch.set_default_dtype(torch.float64)
    with processes(args.strategy) as (rank, world, device):
        train(args, rank, world, device)


if __name__ == "__main__":
    main()
