"""`mmcv.runner.optimizer`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.optimizer import (
    OPTIMIZER_BUILDERS,
    OPTIMIZERS,
    DefaultOptimizerConstructor,
    build_optimizer,
    build_optimizer_constructor,
)

__path__ = _mmcv1.path(__name__)
__getattr__, __dir__ = _mmcv1.attributes(__name__)
