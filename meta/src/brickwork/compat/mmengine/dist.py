"""What model code uses of `mmengine.dist`, where no mmengine is installed."""

from typing import Any

from torch import distributed

from brickwork.runner.dist_utils import get_dist_info, init_dist, master_only

__all__ = [
    "barrier",
    "get_dist_info",
    "get_rank",
    "get_world_size",
    "init_dist",
    "is_distributed",
    "is_main_process",
    "master_only",
]


def is_distributed() -> bool:
    """Tell whether a process group is set up."""
    return distributed.is_available() and distributed.is_initialized()


def get_rank(group: Any = None) -> int:
    """Return the rank of this process in a group; 0 where none is set up."""
    return distributed.get_rank(group) if is_distributed() else 0


def get_world_size(group: Any = None) -> int:
    """Return how many processes a group has; 1 where none is set up."""
    return distributed.get_world_size(group) if is_distributed() else 1


def is_main_process(group: Any = None) -> bool:
    """Tell whether this process has rank 0 in a group."""
    return get_rank(group) == 0


def barrier(group: Any = None) -> None:
    """Wait for all processes of a group; do nothing where none is set up."""
    if is_distributed():
        distributed.barrier(group)
