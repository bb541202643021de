"""`mmcv.version`: the version that brickwork reports."""

from brickwork.compat import _mmcv2
from brickwork.utils.version_utils import parse_version_info

__version__ = _mmcv2.version()
version_info = _mmcv2.version_info()
__all__ = ["__version__", "parse_version_info", "version_info"]
