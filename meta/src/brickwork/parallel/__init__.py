"""Names of `mmcv.parallel` that model code uses."""

from .data_container import DataContainer
from .registry import MODULE_WRAPPERS
from .utils import is_module_wrapper

__all__ = ["MODULE_WRAPPERS", "DataContainer", "is_module_wrapper"]
