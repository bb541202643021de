"""`mmcv.utils.misc`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.utils.misc import (
    check_prerequisites,
    concat_list,
    deprecated_api_warning,
    has_method,
    import_modules_from_strings,
    is_list_of,
    is_method_overridden,
    is_seq_of,
    is_str,
    is_tuple_of,
    iter_cast,
    list_cast,
    requires_executable,
    requires_package,
    slice_list,
    to_1tuple,
    to_2tuple,
    to_3tuple,
    to_4tuple,
    to_ntuple,
    tuple_cast,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
