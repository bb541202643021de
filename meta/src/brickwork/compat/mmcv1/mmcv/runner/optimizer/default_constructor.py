"""`mmcv.runner.optimizer.default_constructor`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.optimizer import DefaultOptimizerConstructor

__getattr__, __dir__ = _mmcv1.attributes(__name__)
