"""`mmcv.runner.dist_utils`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.dist_utils import (
    allreduce_grads,
    allreduce_params,
    get_dist_info,
    init_dist,
    master_only,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
