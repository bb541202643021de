"""The tensors of a model and their names in a state dict. Needs torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

EXTRA_STATE = "_extra_state"  # last part of the keys that hold a module's get_extra_state()


def unwrap(module: nn.Module) -> nn.Module:
    """Return the module inside any data-parallel and ``torch.compile`` wrappers."""
    while True:
        parallel = _is_parallel(type(module))  # type: ignore[arg-type]  # a class does hash
        inner = module._modules.get("module" if parallel else "_orig_mod")
        if inner is None:
            return module
        module = inner


@cache  # called for every module; issubclass is slow for classes with an abstract base
def _is_parallel(kind: type[nn.Module]) -> bool:
    return issubclass(kind, DataParallel | DistributedDataParallel)


def walk(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Yield the key prefix and the module of every submodule; wrappers are skipped."""
    stack = [(prefix, module)]
    while stack:
        prefix, module = stack.pop()
        module = unwrap(module)
        yield prefix, module
        stack += [
            (f"{prefix}{name}.", child)
            for name, child in reversed(module._modules.items())
            if child is not None
        ]


def reshard(module: nn.Module) -> None:
    """Free the unsharded parameters that FSDP2 keeps after a forward pass."""
    if (fsdp := sys.modules.get("torch.distributed.fsdp")) is None:  # then no module uses FSDP2
        return
    for submodule in module.modules():
        if isinstance(submodule, fsdp.FSDPModule):
            submodule.reshard()


@dataclass(frozen=True)
class Slot:
    """The position of a parameter or buffer in a module tree.

    Attributes:
        name: Key of the tensor in the model's state dict.
        owner: The module with the parameter or buffer.
        attribute: Name of the parameter or buffer in that module.
        tensor: The current tensor.
    """

    name: str
    owner: nn.Module
    attribute: str
    tensor: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor; ``()`` for an uninitialized parameter of a lazy module."""
        return () if is_lazy(self.tensor) else tuple(self.tensor.shape)

    @property
    def is_parameter(self) -> bool:
        """True for a parameter, False for a buffer."""
        return self.attribute in self.owner._parameters

    def put(self, tensor: Tensor) -> Tensor:
        """Replace the tensor and return the new one, wrapped in a Parameter if necessary."""
        if self.is_parameter:
            if not isinstance(tensor, nn.Parameter):
                tensor = nn.Parameter(tensor, requires_grad=self.tensor.requires_grad)
            self.owner._parameters[self.attribute] = tensor
        else:
            self.owner._buffers[self.attribute] = tensor
        return tensor


def own_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield the parameters and persistent buffers of a module itself."""
    for name, parameter in module._parameters.items():
        if parameter is not None:
            yield name, parameter
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            yield name, buffer


def slots(module: nn.Module) -> Iterator[Slot]:
    """Yield every parameter and persistent buffer, shared ones under each of their names."""
    for prefix, owner in walk(module):
        for name, tensor in own_tensors(owner):
            yield Slot(prefix + name, owner, name, tensor)


def non_persistent_names(module: nn.Module) -> set[str]:
    """Return the names of all buffers that are not persistent."""
    return {
        prefix + name
        for prefix, owner in walk(module)
        for name in owner._non_persistent_buffers_set
    }


def is_sharded(module: nn.Module) -> bool:
    """Return whether the model has sharded tensors (DTensor)."""
    return any(hasattr(slot.tensor, "device_mesh") for slot in slots(module))
