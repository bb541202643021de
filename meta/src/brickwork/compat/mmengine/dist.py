"""What model code uses of `mmengine.dist`, where no mmengine is installed."""

import os
from typing import Any

import torch
from torch import distributed

from brickwork.runner.dist_utils import init_dist, master_only

__all__ = [
    "all_gather",
    "all_gather_object",
    "all_reduce",
    "barrier",
    "broadcast",
    "get_backend",
    "get_dist_info",
    "get_local_rank",
    "get_rank",
    "get_world_size",
    "init_dist",
    "is_distributed",
    "is_main_process",
    "master_only",
]

_OPERATIONS = {
    "sum": distributed.ReduceOp.SUM,
    "mean": distributed.ReduceOp.SUM,  # divided after it, as not every backend can average
    "produce": distributed.ReduceOp.PRODUCT,
    "min": distributed.ReduceOp.MIN,
    "max": distributed.ReduceOp.MAX,
    "band": distributed.ReduceOp.BAND,
    "bor": distributed.ReduceOp.BOR,
    "bxor": distributed.ReduceOp.BXOR,
}


def is_distributed() -> bool:
    """Tell whether a process group is set up."""
    return distributed.is_available() and distributed.is_initialized()


def get_rank(group: Any = None) -> int:
    """Return the rank of this process in a group; 0 where none is set up."""
    return distributed.get_rank(group) if is_distributed() else 0


def get_world_size(group: Any = None) -> int:
    """Return how many processes a group has; 1 where none is set up."""
    return distributed.get_world_size(group) if is_distributed() else 1


def get_dist_info(group: Any = None) -> tuple[int, int]:
    """Return the rank of this process in a group, and how many there are."""
    return get_rank(group), get_world_size(group)


def get_local_rank() -> int:
    """Return the rank of this process on its machine, as the launcher set it; 0 without one."""
    return int(os.environ.get("LOCAL_RANK", "0")) if is_distributed() else 0


def get_backend(group: Any = None) -> str | None:
    """Return the backend of a group; None where none is set up."""
    return str(distributed.get_backend(group)) if is_distributed() else None


def is_main_process(group: Any = None) -> bool:
    """Tell whether this process has rank 0 in a group."""
    return get_rank(group) == 0


def barrier(group: Any = None) -> None:
    """Wait for all processes of a group; do nothing where none is set up."""
    if is_distributed():
        distributed.barrier(group)


def all_reduce(data: torch.Tensor, op: str = "sum", group: Any = None) -> None:
    """Combine a tensor over all processes of a group, in place; do nothing in a single one.

    Args:
        data: The tensor, on the device of the group's backend.
        op: `"sum"`, `"mean"`, `"produce"`, `"min"`, `"max"`, `"band"`, `"bor"` or `"bxor"`.
        group: The group; all processes by default.

    Raises:
        ValueError: If there is no such operation.
    """
    if op.lower() not in _OPERATIONS:
        raise ValueError(f"op must be one of {', '.join(_OPERATIONS)}, got {op!r}")
    world_size = get_world_size(group)
    if world_size > 1:
        distributed.all_reduce(data, _OPERATIONS[op.lower()], group)
        if op.lower() == "mean":
            data.copy_(data / world_size)


def all_gather(data: torch.Tensor, group: Any = None) -> list[torch.Tensor]:
    """Collect the tensors of all processes of a group.

    Args:
        data: The tensor, of the same shape everywhere, on the device of the group's backend.
        group: The group; all processes by default.

    Returns:
        The tensors by rank.
    """
    if get_world_size(group) == 1:
        return [data]
    gathered = [torch.empty_like(data) for _ in range(get_world_size(group))]
    distributed.all_gather(gathered, data, group)
    return gathered


def all_gather_object(data: Any, group: Any = None) -> list[Any]:
    """Collect an object of each process of a group, by rank; they are pickled."""
    if get_world_size(group) == 1:
        return [data]
    gathered: list[Any] = [None] * get_world_size(group)
    distributed.all_gather_object(gathered, data, group)
    return gathered


def broadcast(data: torch.Tensor, src: int = 0, group: Any = None) -> None:
    """Overwrite a tensor by that of one process, in place; do nothing in a single one.

    Args:
        data: The tensor, on the device of the group's backend.
        src: The rank of the process.
        group: The group; all processes by default.
    """
    if get_world_size(group) > 1:
        distributed.broadcast(data, src, group)
