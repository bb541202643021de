"""Compiled functions of mmcv by name, as `mmcv.utils.ext_loader.load_ext` returns them."""

import importlib
import importlib.util
from collections.abc import Sequence
from types import ModuleType, SimpleNamespace

from ._placeholder import placeholder

_OURS = ("ms_deform_attn_forward", "ms_deform_attn_backward")
_REMEDY = "An mmcv with compiled operators provides it"


def load_kernels(extension: str, names: Sequence[str]) -> SimpleNamespace:
    """Return kernels by name.

    Args:
        extension: The extension module in mmcv, `"_ext"`.
        names: Names of the kernels.

    Returns:
        An object with an attribute for each kernel: that of brickwork-ops, that of an installed
        mmcv if it is compiled, or a placeholder.
    """
    ours, compiled = _module("brickwork_ops"), _module(f"mmcv.{extension}")
    kernels = {}
    for name in names:
        kernel = getattr(ours, name) if ours and name in _OURS else getattr(compiled, name, None)
        kernels[name] = kernel or placeholder(f"mmcv.{extension}", name, _REMEDY)
    return SimpleNamespace(**kernels)


def check_ops_exist() -> bool:
    """Return whether there are operators: brickwork-ops, or a compiled mmcv."""
    return any(importlib.util.find_spec(name) for name in ("brickwork_ops", "mmcv._ext"))


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
