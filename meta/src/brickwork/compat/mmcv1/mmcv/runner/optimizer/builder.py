"""`mmcv.runner.optimizer.builder`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.optimizer import (
    OPTIMIZER_BUILDERS,
    OPTIMIZERS,
    TORCH_OPTIMIZERS,
    build_optimizer,
    build_optimizer_constructor,
    register_torch_optimizers,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
