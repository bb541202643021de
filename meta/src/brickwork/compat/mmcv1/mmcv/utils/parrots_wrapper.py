"""`mmcv.utils.parrots_wrapper`, provided by brickwork."""

from typing import Any

import torch

from brickwork.compat import _mmcv1
from brickwork.utils.parrots_wrapper import *
from brickwork.utils.parrots_wrapper import DataLoader, PoolDataLoader

__getattr__, __dir__ = _mmcv1.attributes(__name__)


def is_cuda_available() -> bool:
    """Return whether CUDA is available."""
    return torch.cuda.is_available()


def get_build_config() -> str:
    """Return how PyTorch was compiled."""
    return torch.__config__.show()


def _get_cuda_home() -> str | None:
    from torch.utils import cpp_extension  # slow to import

    return cpp_extension.CUDA_HOME


def _get_dataloader() -> tuple[Any, Any]:  # downstream imports it by this name
    return DataLoader, PoolDataLoader
