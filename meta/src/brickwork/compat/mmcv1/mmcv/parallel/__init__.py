"""`mmcv.parallel`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.parallel import MODULE_WRAPPERS, DataContainer, is_module_wrapper

__path__ = _mmcv1.path(__name__)
__getattr__, __dir__ = _mmcv1.attributes(__name__)
_mmcv1.keep_functions(__name__)
_mmcv1.import_installed(__name__)
