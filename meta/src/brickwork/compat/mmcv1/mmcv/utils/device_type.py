"""`mmcv.utils.device_type`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.device_type import (
    IS_IPU_AVAILABLE,
    IS_MLU_AVAILABLE,
    IS_MPS_AVAILABLE,
    IS_NPU_AVAILABLE,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
