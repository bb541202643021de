"""`mmcv.utils.path`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.path import (
    check_file_exist,
    fopen,
    is_filepath,
    mkdir_or_exist,
    scandir,
    symlink,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
