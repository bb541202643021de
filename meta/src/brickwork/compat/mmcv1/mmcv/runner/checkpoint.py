"""`mmcv.runner.checkpoint`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.checkpoint import *
from brickwork.runner.checkpoint import _load_checkpoint, _load_checkpoint_with_prefix

__getattr__, __dir__ = _mmcv1.attributes(__name__)
