"""Where a model keeps its tensors. Needs torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from torch import Tensor, nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy


def unwrap(module: nn.Module) -> nn.Module:
    """The module inside of any data-parallel and ``torch.compile`` wrappers."""
    while True:
        parallel = _is_parallel(type(module))  # type: ignore[arg-type]  # a class does hash
        inner = module._modules.get("module" if parallel else "_orig_mod")
        if inner is None:
            return module
        module = inner


@cache  # asked of every module, and slow to answer: one of the two has an abstract base
def _is_parallel(kind: type[nn.Module]) -> bool:
    return issubclass(kind, DataParallel | DistributedDataParallel)


def walk(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Every submodule with its key prefix, wrappers left out of the names."""
    ahead = [(prefix, module)]
    while ahead:
        prefix, module = ahead.pop()
        module = unwrap(module)
        yield prefix, module
        ahead += [
            (f"{prefix}{name}.", child)
            for name, child in reversed(module._modules.items())
            if child is not None
        ]


def reshard(module: nn.Module) -> None:
    """Let FSDP2 put back the shards where, after a forward pass, it still has whole tensors."""
    if (fsdp := sys.modules.get("torch.distributed.fsdp")) is None:  # nobody has sharded
        return
    for one in module.modules():
        if isinstance(one, fsdp.FSDPModule):
            one.reshard()


@dataclass(frozen=True)
class Slot:
    """A place for a tensor in a module.

    Attributes:
        name: Its name in the model's state dict.
        owner: The module that holds it.
        attribute: Its name there.
        tensor: What the place holds now.
    """

    name: str
    owner: nn.Module
    attribute: str
    tensor: Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor; ``()`` as long as a lazy module does not know it."""
        return () if is_lazy(self.tensor) else tuple(self.tensor.shape)

    @property
    def is_parameter(self) -> bool:
        """Whether it is a parameter rather than a buffer."""
        return self.attribute in self.owner._parameters

    def put(self, tensor: Tensor) -> Tensor:
        """Put another tensor into the place, as a parameter where it is one; returns that."""
        if self.is_parameter:
            if not isinstance(tensor, nn.Parameter):
                tensor = nn.Parameter(tensor, requires_grad=self.tensor.requires_grad)
            self.owner._parameters[self.attribute] = tensor
        else:
            self.owner._buffers[self.attribute] = tensor
        return tensor


def own_tensors(module: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """The parameters and persistent buffers of a module itself, not of those in it."""
    for name, parameter in module._parameters.items():
        if parameter is not None:
            yield name, parameter
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            yield name, buffer


def slots(module: nn.Module) -> Iterator[Slot]:
    """Every parameter and persistent buffer, shared ones under each of their names."""
    for prefix, owner in walk(module):
        for name, tensor in own_tensors(owner):
            yield Slot(prefix + name, owner, name, tensor)
