"""Compiled functions of mmcv by name, as `mmcv.utils.ext_loader.load_ext` returns them."""

import importlib
import importlib.util
from collections.abc import Sequence
from types import SimpleNamespace

from ._placeholder import placeholder

_REMEDY = "an mmcv with compiled operators provides it"


def load_kernels(extension: str, names: Sequence[str]) -> SimpleNamespace:
    """Return kernels by name.

    Args:
        extension: The extension module in mmcv, `"_ext"`.
        names: Names of the kernels.

    Returns:
        An object with an attribute for each kernel: that of an installed mmcv if it is compiled,
        or a placeholder.
    """
    try:
        compiled: object = importlib.import_module(f"mmcv.{extension}")
    except ImportError:
        compiled = None
    kernels = {}
    for name in names:
        kernel = getattr(compiled, name, None)
        kernels[name] = kernel or placeholder(f"mmcv.{extension}", name, _REMEDY)
    return SimpleNamespace(**kernels)


def check_ops_exist() -> bool:
    """Return whether an installed mmcv has compiled operators."""
    return importlib.util.find_spec("mmcv._ext") is not None
