"""`mmcv.runner.hooks.hook`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.hooks import HOOKS, Hook

__getattr__, __dir__ = _mmcv1.attributes(__name__)
