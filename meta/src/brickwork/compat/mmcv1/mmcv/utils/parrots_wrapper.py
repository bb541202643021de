"""`mmcv.utils.parrots_wrapper`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.parrots_wrapper import (
    IS_CUDA_AVAILABLE,
    TORCH_VERSION,
    DataLoader,
    PoolDataLoader,
    SyncBatchNorm,
    _AdaptiveAvgPoolNd,
    _AdaptiveMaxPoolNd,
    _AvgPoolNd,
    _BatchNorm,
    _ConvNd,
    _ConvTransposeMixin,
    _InstanceNorm,
    _MaxPoolNd,
    is_rocm_pytorch,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
