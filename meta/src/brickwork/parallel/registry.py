"""Registry of modules that wrap a model."""

from typing import Any

from brickwork_registry import Registry
from torch.nn.parallel import DataParallel, DistributedDataParallel

__all__ = ["MODULE_WRAPPERS"]

MODULE_WRAPPERS: Registry[Any] = Registry("module wrapper", scope="mmcv")
MODULE_WRAPPERS.register_module(module=DataParallel)
MODULE_WRAPPERS.register_module(module=DistributedDataParallel)
