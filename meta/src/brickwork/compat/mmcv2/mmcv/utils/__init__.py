"""`mmcv.utils`, provided by brickwork."""

from brickwork.compat import _mmcv2
from brickwork.utils import (
    IS_CUDA_AVAILABLE,
    IS_MLU_AVAILABLE,
    IS_MPS_AVAILABLE,
    IS_NPU_AVAILABLE,
    collect_env,
    jit,
    skip_no_elena,
)

__path__ = _mmcv2.path(__name__)
__getattr__, __dir__ = _mmcv2.attributes(__name__)
