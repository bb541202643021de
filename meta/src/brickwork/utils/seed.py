"""Seeds of the workers of a data loader."""

import contextlib
import importlib
import random

import torch

__all__ = ["worker_init_fn"]


def worker_init_fn(worker_id: int, num_workers: int, rank: int, seed: int) -> None:
    """Seed a worker such that no two of them, on any rank, draw the same.

    Args:
        worker_id: Which worker of this process.
        num_workers: How many each process has.
        rank: Rank of the process.
        seed: The seed of the run.
    """
    worker_seed = num_workers * rank + worker_id + seed
    random.seed(worker_seed)
    torch.manual_seed(worker_seed)
    with contextlib.suppress(ModuleNotFoundError):  # nobody to seed
        importlib.import_module("numpy").random.seed(worker_seed)
