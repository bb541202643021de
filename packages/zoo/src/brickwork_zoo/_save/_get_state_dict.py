"""The state dict of a model, with the keys that a checkpoint uses. Needs torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from brickwork_zoo._load._module_tree import EXTRA_STATE, unwrap
from brickwork_zoo._load._select_state_dict import StateDict, state_dict_of


def get_state_dict(
    module: nn.Module,
    destination: StateDict | None = None,
    prefix: str = "",
    keep_vars: bool = False,
) -> StateDict:
    """Return the state dict of a module, without the names of wrappers in its keys.

    Args:
        module: The model.
        destination: State dict to add to; a new one by default.
        prefix: Prefix of every key.
        keep_vars: Keep parameters as they are, instead of detaching them.

    Returns:
        Key -> tensor, including buffers that are not persistent, as in mmcv.
    """
    module = unwrap(module)
    if destination is None:
        destination = state_dict_of((), OrderedDict())
    for prepare in module._state_dict_pre_hooks.values():  # the hook of FSDP2 reshards
        prepare(module, prefix, keep_vars)
    local = {"version": module._version}
    destination._metadata[prefix[:-1]] = local  # type: ignore[attr-defined]  # as torch does
    _save_to_state_dict(module, destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            get_state_dict(child, destination, f"{prefix}{name}.", keep_vars)
    extra_key = prefix + EXTRA_STATE
    has_extra_state = type(module).get_extra_state is not nn.Module.get_extra_state
    if has_extra_state and extra_key not in destination:
        destination[extra_key] = module.get_extra_state()
    for hook in module._state_dict_hooks.values():
        destination = hook(module, destination, prefix, local) or destination
    return destination


def _save_to_state_dict(
    module: nn.Module, destination: StateDict, prefix: str, keep_vars: bool
) -> None:
    """Add a module's own parameters and buffers, or the output of its ``_save_to_state_dict``."""
    overridden = type(
        module
    )._save_to_state_dict is not nn.Module._save_to_state_dict or "_save_to_state_dict" in vars(
        module
    )
    if overridden:
        module._save_to_state_dict(destination, prefix, keep_vars)
    tables = (module._buffers,) if overridden else (module._parameters, module._buffers)
    for table in tables:
        for name, tensor in table.items():
            if tensor is None or (overridden and name not in module._non_persistent_buffers_set):
                continue
            destination[prefix + name] = tensor if keep_vars else tensor.detach()


def weights_to_cpu(state_dict: Mapping[str, Any]) -> OrderedDict[str, Any]:
    """Move a state dict to the CPU; tensors on the CPU are not copied.

    Args:
        state_dict: Key -> tensor.

    Returns:
        A new state dict with the same versions.
    """
    return state_dict_of(
        ((k, v.cpu() if isinstance(v, Tensor) else v) for k, v in state_dict.items()),
        getattr(state_dict, "_metadata", OrderedDict()),
    )
