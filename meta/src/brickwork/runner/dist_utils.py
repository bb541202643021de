"""Ranks of processes, and reductions over all of them."""

import functools
import os
import subprocess
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import torch
from torch import distributed as dist

__all__ = ["allreduce_grads", "allreduce_params", "get_dist_info", "init_dist", "master_only"]

P = ParamSpec("P")
T = TypeVar("T")

# launcher → the variables with the rank, the number of processes and the rank on this machine
_LAUNCHERS = {
    "pytorch": ("RANK", "WORLD_SIZE", "LOCAL_RANK"),
    "mpi": ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK"),
    "slurm": ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"),
}


def get_dist_info() -> tuple[int, int]:
    """Return the rank and the number of processes, `(0, 1)` without a process group."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def master_only(func: Callable[P, T]) -> Callable[P, T | None]:
    """Decorate a function to run on rank 0 only; on other ranks it returns None."""

    @functools.wraps(func)
    def on_master(*args: P.args, **kwargs: P.kwargs) -> T | None:
        return func(*args, **kwargs) if get_dist_info()[0] == 0 else None

    return on_master


def init_dist(
    launcher: str, backend: str = "nccl", *, port: int | None = None, **kwargs: Any
) -> None:
    """Initialize the default process group from a launcher's environment variables.

    Args:
        launcher: `"pytorch"` (torchrun), `"mpi"` (Open MPI) or `"slurm"`.
        backend: Backend of `torch.distributed`; `"gloo"` works without a GPU.
        port: Port of rank 0; by default `MASTER_PORT`, or 29500.
        **kwargs: Options of `torch.distributed.init_process_group`.

    Raises:
        ValueError: If the launcher is unknown, or did not start this process.
    """
    if launcher not in _LAUNCHERS:
        raise ValueError(f"launcher must be one of {', '.join(_LAUNCHERS)}, got {launcher!r}")
    try:
        rank, world_size, local_rank = (int(os.environ[name]) for name in _LAUNCHERS[launcher])
        os.environ["MASTER_ADDR"] = os.environ.get("MASTER_ADDR") or _first_host(launcher)
    except KeyError as error:
        raise ValueError(
            f"launcher {launcher!r} did not start this process: {error} is not set"
        ) from error
    default = str(port) if port is not None else os.environ.get("MASTER_PORT", "29500")
    os.environ.update(
        RANK=str(rank), WORLD_SIZE=str(world_size), LOCAL_RANK=str(local_rank), MASTER_PORT=default
    )
    if torch.cuda.is_available():
        torch.cuda.set_device(local_rank % torch.cuda.device_count())
    dist.init_process_group(backend=backend, **kwargs)


def allreduce_params(
    params: Iterable[torch.Tensor], coalesce: bool = True, bucket_size_mb: int = -1
) -> None:
    """Average parameters or buffers over all processes, in place.

    Args:
        params: The tensors, in the same order on every process.
        coalesce: No effect; kept for compatibility.
        bucket_size_mb: No effect; kept for compatibility.
    """
    _average([param.detach() for param in params])


def allreduce_grads(
    params: Iterable[torch.nn.Parameter], coalesce: bool = True, bucket_size_mb: int = -1
) -> None:
    """Average the gradients of parameters over all processes, in place.

    Args:
        params: The parameters; those without a gradient are skipped.
        coalesce: No effect; kept for compatibility.
        bucket_size_mb: No effect; kept for compatibility.
    """
    _average([p.grad.detach() for p in params if p.requires_grad and p.grad is not None])


def _average(tensors: list[torch.Tensor]) -> None:
    _, world_size = get_dist_info()
    if world_size == 1:
        return
    works = [dist.all_reduce(tensor, async_op=True) for tensor in tensors]
    for tensor, work in zip(tensors, works, strict=True):
        if work is not None:
            work.wait()
        tensor.div_(world_size)


def _first_host(launcher: str) -> str:
    """Return the host of rank 0 if the launcher does not name it."""
    if launcher != "slurm":
        raise KeyError("MASTER_ADDR")
    # SLURM abbreviates the list ("node[12-14,20]"); its own tool expands it
    command = ["scontrol", "show", "hostnames", os.environ["SLURM_JOB_NODELIST"]]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
