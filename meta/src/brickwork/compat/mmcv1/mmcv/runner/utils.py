"""`mmcv.runner.utils`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.utils import get_host_info, get_time_str, obj_from_dict, set_random_seed

__getattr__, __dir__ = _mmcv1.attributes(__name__)
