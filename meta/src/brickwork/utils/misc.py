"""Small helpers for model code."""

from ._methods import deprecated_api_warning, has_method, is_method_overridden
from ._requirements import (
    check_prerequisites,
    import_modules_from_strings,
    requires_executable,
    requires_package,
)
from ._sequences import (
    concat_list,
    is_list_of,
    is_seq_of,
    is_str,
    is_tuple_of,
    iter_cast,
    list_cast,
    slice_list,
    tuple_cast,
)
from ._tuples import to_1tuple, to_2tuple, to_3tuple, to_4tuple, to_ntuple

__all__ = [
    "check_prerequisites",
    "concat_list",
    "deprecated_api_warning",
    "has_method",
    "import_modules_from_strings",
    "is_list_of",
    "is_method_overridden",
    "is_seq_of",
    "is_str",
    "is_tuple_of",
    "iter_cast",
    "list_cast",
    "requires_executable",
    "requires_package",
    "slice_list",
    "to_1tuple",
    "to_2tuple",
    "to_3tuple",
    "to_4tuple",
    "to_ntuple",
    "tuple_cast",
]
