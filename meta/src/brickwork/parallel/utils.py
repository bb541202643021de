"""Recognition of wrapped models."""

from typing import Any

from brickwork_registry import Registry
from torch import nn

from .registry import MODULE_WRAPPERS

__all__ = ["is_module_wrapper"]


def is_module_wrapper(module: nn.Module) -> bool:
    """Return whether a module wraps a model, as `DistributedDataParallel` does.

    Args:
        module: The module.

    Returns:
        True if its class is registered in `MODULE_WRAPPERS` or in a child of it.
    """
    return _is_registered(module, MODULE_WRAPPERS)


def _is_registered(module: nn.Module, registry: Registry[Any]) -> bool:
    return isinstance(module, tuple(registry.module_dict.values())) or any(
        _is_registered(module, child) for child in registry.children.values()
    )
