"""The end of a model built under `deferred` that its rules and checkpoints do not cover."""

from __future__ import annotations

import torch
from torch import nn

from ._deferred import (
    KEY,
    DeferredTensors,
    empty_like,
    forget,
    put,
    uninitialized,
    uninitialized_error,
)
from ._records import modules_below, own_tensors
from ._user_code import UserCodeWatch


def finalize(model: nn.Module, *, reset_parameters: bool = False) -> None:
    """Give what is still uninitialized the values that its constructors wrote.

    Args:
        model: A model built under `deferred`.
        reset_parameters: Whether modules draw the rest as their constructors do, by their method
            ``reset_parameters``.

    Raises:
        UninitializedError: If parameters or buffers are left without a value.
    """
    DeferredTensors(model).write_constants()
    if reset_parameters:
        for module in modules_below(model):
            _reset_parameters(module)
    if names := uninitialized(model):
        raise uninitialized_error(model, names)


def _reset_parameters(module: nn.Module) -> None:
    """Let a module draw its default for what is uninitialized, and only for that."""
    own = dict(own_tensors(module))
    empty = {name: tensor for name, tensor in own.items() if tensor.is_meta}
    reset = getattr(module, "reset_parameters", None)
    if not empty or not callable(reset):
        return
    kept = {n: tensor.detach().clone() for n, tensor in own.items() if n not in empty}
    deferrals = vars(module).get(KEY, {})
    for name, tensor in empty.items():
        device, _ = deferrals.get(name, (torch.get_default_device(), None))
        put(module, name, empty_like(tensor, device))
    written: set[str] = set()
    watch = UserCodeWatch(module, lambda owner, name: written.add(name))
    watch.resume()
    try:
        reset()
    finally:
        watch.pause()
    written |= {name for owner, name in watch.find_replaced(module) if owner is module}
    with torch.no_grad():
        for name, tensor in kept.items():
            own[name].copy_(tensor)
    for name, tensor in empty.items():
        if name not in written:
            put(module, name, tensor)
        elif name in deferrals:
            forget(module, name)
