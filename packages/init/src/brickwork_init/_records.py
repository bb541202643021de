"""Provenance records: where the value of each parameter and buffer came from, as plain data.

A module keeps the records of its own slots in its ``__dict__``::

    module.__dict__["_brickwork_sources"] = {
        "weight": ((64, 3, 7, 7), "rule", "KaimingInit: ...", 1),
        "bias": ((64,), "loaded", "a.pth", "conv.bias"),
    }

that is, slot name -> the global shape of the tensor when it was written, and the source of its
value. They are built-in types alone, so records are copied, pickled, moved, sharded and dropped
with the module, and ``torch.save(model)`` loads in a process that lacks this package. A record
whose shape is not that of the tensor in the slot is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from torch import Tensor, nn

KEY = "_brickwork_sources"

# The kind ('rule', 'code' or 'loaded'), what wrote the value, and its detail: for 'loaded' the key
# in the checkpoint; otherwise how many levels above the slot's module the module is whose rule or
# code it was, None if it is not an ancestor.
Source: TypeAlias = tuple[str, str, str | int | None]


class Slot(NamedTuple):
    """The position of a parameter or buffer in a module tree.

    Args:
        path: Dotted name of the module that holds it.
        module: That module.
        name: Name of the parameter or buffer in it.
        tensor: The parameter or buffer.
    """

    path: str
    module: nn.Module
    name: str
    tensor: Tensor

    @property
    def dotted(self) -> str:
        """The dotted name of the parameter or buffer."""
        return f"{self.path}.{self.name}" if self.path else self.name

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter rather than a buffer."""
        return self.name in self.module._parameters


def modules_below(root: nn.Module) -> list[nn.Module]:
    """Return `root` and every module below it, a shared one once for each of its positions.

    `torch.nn.Module.modules` takes time in proportion to the depth of each module.
    """
    modules = [root]
    for module in modules:  # grows meanwhile
        if module._modules:
            modules += [child for child in module._modules.values() if child is not None]
    return modules


def own_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters and buffers of a module itself by name."""
    for tensors in (module._parameters, module._buffers):
        for name, tensor in tensors.items():
            if tensor is not None:
                yield name, tensor


def slots_below(root: nn.Module) -> list[Slot]:
    """Return every slot of `root` and below it: those of parameters, then those of buffers."""
    slots = [
        Slot(path, module, name, tensor)
        for path, module in root.named_modules(remove_duplicate=False)
        for name, tensor in own_tensors(module)
    ]
    return sorted(slots, key=lambda slot: not slot.is_parameter)


def slot_tensor(module: nn.Module, name: str) -> Tensor | None:
    """Return the parameter or buffer in a slot of a module."""
    tensor = module._parameters.get(name)
    return module._buffers.get(name) if tensor is None else tensor


def original_slot(module: nn.Module, name: str) -> tuple[nn.Module, str] | None:
    """Return the slot that keeps the value of a slot that was parametrized.

    That is ``parametrizations.<name>.original``, or ``<name>_orig`` under the older spectral norm
    and pruning.
    """
    parametrizations = module._modules.get("parametrizations")
    if parametrizations is not None and name in parametrizations._modules:
        owner = parametrizations._modules[name]
        return (owner, "original") if owner is not None else None
    return (module, f"{name}_orig") if f"{name}_orig" in module._parameters else None


def write_record(module: nn.Module, name: str, tensor: Tensor, source: Source) -> None:
    """Replace the record of a slot."""
    vars(module).setdefault(KEY, {})[name] = (tuple(tensor.shape), *source)


def recorded(module: nn.Module) -> Iterator[tuple[Tensor, Source]]:
    """Yield the tensors of a module itself that have a valid record, and their sources."""
    for name, (shape, *source) in vars(module).get(KEY, {}).items():
        tensor = slot_tensor(module, name)
        if tensor is None and (slot := original_slot(module, name)) is not None:
            tensor = slot_tensor(*slot)
        if tensor is not None and tuple(tensor.shape) == shape:
            yield tensor, tuple(source)
