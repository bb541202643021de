"""Taking a model's state, under the names that a checkpoint uses. Needs torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, MutableMapping
from typing import Any

from torch import Tensor, nn

from brickwork_zoo._load._module_tree import unwrap
from brickwork_zoo._load._select_state_dict import StateDict, state_dict_of


def get_state_dict(
    module: nn.Module,
    destination: StateDict | None = None,
    prefix: str = "",
    keep_vars: bool = False,
) -> StateDict:
    """The state dict of a module without the names of wrappers, also of those further inside.

    Args:
        module: The model.
        destination: What to add to; a new one by default.
        prefix: Goes before every key.
        keep_vars: Keep parameters as they are, instead of detaching them.

    Returns:
        Key -> tensor; buffers that are not persistent are in it, as in mmcv.
    """
    module = unwrap(module)
    if destination is None:
        destination = state_dict_of((), OrderedDict())
    for prepare in module._state_dict_pre_hooks.values():  # FSDP2's puts back the shards
        prepare(module, prefix, keep_vars)
    local = {"version": module._version}
    destination._metadata[prefix[:-1]] = local  # type: ignore[attr-defined]  # torch's own way
    _save_to_state_dict(module, destination, prefix, keep_vars)
    for name, child in module._modules.items():
        if child is not None:
            get_state_dict(child, destination, f"{prefix}{name}.", keep_vars)
    if type(module).get_extra_state is not nn.Module.get_extra_state:
        destination[f"{prefix}_extra_state"] = module.get_extra_state()
    for hook in module._state_dict_hooks.values():
        destination = hook(module, destination, prefix, local) or destination
    return destination


def _save_to_state_dict(
    module: nn.Module, destination: MutableMapping[str, Any], prefix: str, keep_vars: bool
) -> None:
    """Add the parameters and all buffers of one module, without its children."""
    for table in (module._parameters, module._buffers):
        for name, tensor in table.items():
            if tensor is not None:
                destination[prefix + name] = tensor if keep_vars else tensor.detach()


def weights_to_cpu(state_dict: Mapping[str, Any]) -> OrderedDict[str, Any]:
    """Copy a state dict to the CPU; what is there already is not copied.

    Args:
        state_dict: Key -> tensor.

    Returns:
        A new state dict with the same versions.
    """
    return state_dict_of(
        ((k, v.cpu() if isinstance(v, Tensor) else v) for k, v in state_dict.items()),
        getattr(state_dict, "_metadata", OrderedDict()),
    )
