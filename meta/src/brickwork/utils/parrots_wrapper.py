"""Base classes of PyTorch's layers under the names that downstream code uses."""

import torch
from torch.nn import SyncBatchNorm
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.modules.pooling import (
    _AdaptiveAvgPoolNd,
    _AdaptiveMaxPoolNd,
    _AvgPoolNd,
    _MaxPoolNd,
)
from torch.utils.data import DataLoader

__all__ = [
    "IS_CUDA_AVAILABLE",
    "TORCH_VERSION",
    "DataLoader",
    "PoolDataLoader",
    "SyncBatchNorm",
    "_AdaptiveAvgPoolNd",
    "_AdaptiveMaxPoolNd",
    "_AvgPoolNd",
    "_BatchNorm",
    "_ConvNd",
    "_ConvTransposeMixin",
    "_InstanceNorm",
    "_MaxPoolNd",
    "is_rocm_pytorch",
]

TORCH_VERSION = torch.__version__  # compares with strings as a version
IS_CUDA_AVAILABLE = torch.cuda.is_available()
PoolDataLoader = DataLoader
_ConvTransposeMixin = _ConvTransposeNd


def is_rocm_pytorch() -> bool:
    """Return whether PyTorch is built for AMD's ROCm."""
    return torch.version.hip is not None
