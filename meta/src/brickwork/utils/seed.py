"""Seeds of data loader workers."""

import contextlib
import importlib
import random

import torch

__all__ = ["worker_init_fn"]


def worker_init_fn(worker_id: int, num_workers: int, rank: int, seed: int) -> None:
    """Seed a worker of a data loader differently from all others on all ranks.

    Args:
        worker_id: Index of the worker in its process.
        num_workers: Number of workers per process.
        rank: Rank of the process.
        seed: Seed of the training run.
    """
    worker_seed = num_workers * rank + worker_id + seed
    random.seed(worker_seed)
    torch.manual_seed(worker_seed)
    with contextlib.suppress(ModuleNotFoundError):  # NumPy is optional
        importlib.import_module("numpy").random.seed(worker_seed)
