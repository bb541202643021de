"""Flags of the available accelerators."""

import importlib.util

import torch

__all__ = ["IS_IPU_AVAILABLE", "IS_MLU_AVAILABLE", "IS_MPS_AVAILABLE", "IS_NPU_AVAILABLE"]


def _available(backend: str, package: str) -> bool:
    """Return whether an out-of-tree backend is installed and finds a device."""
    if importlib.util.find_spec(package) is None:
        return False
    return bool(getattr(torch, backend).is_available()) if hasattr(torch, backend) else False


IS_IPU_AVAILABLE = _available("ipu", "poptorch")
IS_MLU_AVAILABLE = _available("mlu", "torch_mlu")
IS_NPU_AVAILABLE = _available("npu", "torch_npu")
IS_MPS_AVAILABLE = torch.backends.mps.is_available()
