"""The choice between an operator's own implementation and torchvision's compiled one.

torchvision is not a dependency. Where it is installed and computes the same, the faster of the two
is used, as measured by ``tests/benchmarks/bench_ops.py``; `set_backend` overrides the choice.
"""

import functools
import importlib
from types import ModuleType
from typing import Literal, TypeAlias, get_args

import torch
from torch import Tensor

from .errors import BackendError

#: Where an operator is computed: here, by torchvision, or by the faster one.
Backend: TypeAlias = Literal["auto", "brickwork", "torchvision"]

# The faster backend by operator and device type. An operator that is not listed has no other
# backend. torchvision's gradient of `deform_conv2d` differs at the border of a padded map for
# offsets of exactly 0, those of a new layer, so it is never chosen for that by itself.
_FASTER: dict[str, dict[str, Backend]] = {
    "deform_conv2d": {},
    "modulated_deform_conv2d": {},
    "nms": {"cpu": "torchvision", "cuda": "torchvision"},
    "roi_align": {"cuda": "torchvision"},
}
_chosen: dict[str, Backend] = {}


def backends(device: torch.device | str = "cpu") -> dict[str, Backend]:
    """Return which backend computes each operator that has two.

    Args:
        device: Device of the tensors.

    Returns:
        ``'brickwork'`` or ``'torchvision'`` by the name of the operator.

    Example:
        >>> backends()['deform_conv2d']
        'brickwork'
    """
    return {name: _backend(name, torch.device(device).type) for name in _FASTER}


def set_backend(operator: str, backend: Backend) -> None:
    """Choose the backend of an operator for this process.

    Args:
        operator: Name of the operator, a key of `backends`.
        backend: ``'brickwork'``, ``'torchvision'``, or ``'auto'`` for the faster one.

    Raises:
        BackendError: If there is no such operator or backend, or torchvision is not installed.
    """
    if operator not in _FASTER:
        raise BackendError(f"operator must be one of {', '.join(_FASTER)}, got {operator!r}")
    if backend not in get_args(Backend):
        raise BackendError(
            f"backend of {operator} must be one of {', '.join(get_args(Backend))}, got {backend!r}"
        )
    if backend == "torchvision" and _torchvision() is None:
        raise BackendError(f"backend of {operator} is torchvision, which cannot be imported")
    if backend == "auto":
        _chosen.pop(operator, None)
    else:
        _chosen[operator] = backend


def torchvision_for(operator: str, tensor: Tensor) -> ModuleType | None:
    """Return ``torchvision.ops`` if it is to compute an operator.

    Under `torch.compile` and on the meta device, the answer is None: there the implementation of
    this package is traced.

    Args:
        operator: Name of the operator.
        tensor: An input of it.

    Returns:
        The module, or None for the implementation of this package.
    """
    if torch.compiler.is_compiling() or tensor.is_meta:
        return None
    return _torchvision() if _backend(operator, tensor.device.type) == "torchvision" else None


def torchvision_ops() -> ModuleType:
    """Return ``torchvision.ops``.

    Raises:
        BackendError: If it cannot be imported.
    """
    module = _torchvision()
    if module is None:
        raise BackendError("torchvision cannot be imported; install it, or leave it out")
    return module


def _backend(operator: str, device_type: str) -> Backend:
    if operator in _chosen:
        return _chosen[operator]
    if _FASTER[operator].get(device_type) == "torchvision" and _torchvision() is not None:
        return "torchvision"
    return "brickwork"


@functools.cache
def _torchvision() -> ModuleType | None:
    """Import ``torchvision.ops`` on first use: it is optional, and its import takes a second."""
    try:
        return importlib.import_module("torchvision.ops")
    except (ImportError, RuntimeError, OSError):  # absent, or built for another torch
        return None
