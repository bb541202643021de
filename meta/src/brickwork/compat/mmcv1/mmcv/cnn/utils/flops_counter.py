"""`mmcv.cnn.utils.flops_counter`, provided by brickwork."""

from brickwork.cnn.utils.flops_counter import (
    flops_to_string,
    get_model_complexity_info,
    get_model_parameters_number,
    params_to_string,
)
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
