"""`mmcv.runner.fp16_utils`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.fp16_utils import auto_fp16, cast_tensor_type, force_fp32, wrap_fp16_model

__getattr__, __dir__ = _mmcv1.attributes(__name__)
