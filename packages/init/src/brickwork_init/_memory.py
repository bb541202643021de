"""Parameters and buffers that have no value yet, and the memory that they are given."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from ._provenance import named_tensors
from ._sharded import fill_tensor, is_sharded


@dataclass(frozen=True, slots=True)
class Pending:
    """What a tensor without memory is to become.

    Args:
        device: Where it was to be allocated.
        value: The constant, or the values, that its constructor wrote; None if it drew.
    """

    device: torch.device
    value: Tensor | None = None


# By module and name, not by tensor: sharding a model replaces its tensors.
PENDING: weakref.WeakKeyDictionary[nn.Module, dict[str, Pending]] = weakref.WeakKeyDictionary()


def unset(model: nn.Module) -> list[str]:
    """Name the parameters and buffers that have no value yet.

    Args:
        model: The model, or a part of one.

    Returns:
        Their dotted names: whatever lies on the meta device.
    """
    return [name for name, tensor in named_tensors(model) if tensor.is_meta]


def get(module: nn.Module, name: str) -> Tensor | None:
    return module._parameters.get(name, module._buffers.get(name))


def put(module: nn.Module, name: str, tensor: Tensor) -> None:
    # Not by `setattr`: its hooks are for those who register something new
    if name in module._parameters:
        module._parameters[name] = tensor  # type: ignore[assignment]  # `empty_like` of one
    else:
        module._buffers[name] = tensor


def empty_like(tensor: Tensor, device: torch.device) -> Tensor:
    if is_sharded(tensor):
        empty = torch.empty_like(tensor, device=device, requires_grad=False)
    else:  # `empty_like` across devices imports a computer algebra system: a quarter of a second
        empty = torch.empty_strided(
            tensor.shape, tensor.stride(), dtype=tensor.dtype, device=device
        )
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


class Allocation:
    """Memory for whatever of a model is pending, until it is known what gets a value.

    Args:
        model: The model.
    """

    def __init__(self, model: nn.Module) -> None:
        self._given: list[tuple[str, nn.Module, str, Tensor, Pending]] = []
        memory: dict[int, Tensor] = {}  # tied tensors stay tied
        if not PENDING:
            return
        for path, module in model.named_modules():
            for name, pending in [*PENDING.get(module, {}).items()]:
                tensor = get(module, name)
                if tensor is None or not tensor.is_meta:  # something else took its place
                    self._forget(module, name)
                    continue
                if id(tensor) not in memory:
                    memory[id(tensor)] = empty_like(tensor, _device(tensor, pending))
                put(module, name, memory[id(tensor)])
                self._given.append((f"{path}.{name}".lstrip("."), module, name, tensor, pending))

    def settle(self, written: Callable[[Tensor], bool], *, complete: bool) -> list[str]:
        """Take the memory back from what got no value.

        Args:
            written: Whether a tensor got a value.
            complete: Whether to write what constructors wrote into whatever else is left.

        Returns:
            The names of what has no value.
        """
        left = []
        for path, module, name, tensor, pending in self._given:
            memory = get(module, name)
            if memory is not None and not written(memory):
                if complete and pending.value is not None:
                    fill_tensor(memory, partial(torch.Tensor.copy_, other=pending.value))
                else:
                    put(module, name, tensor)
                    left.append(path)
                    continue
            self._forget(module, name)
        self._given.clear()
        return left

    @staticmethod
    def _forget(module: nn.Module, name: str) -> None:
        del PENDING[module][name]
        if not PENDING[module]:
            del PENDING[module]


def _device(tensor: Tensor, pending: Pending) -> torch.device:
    return torch.device(tensor.device_mesh.device_type) if is_sharded(tensor) else pending.device


def is_pending(model: nn.Module) -> bool:
    """Whether anything of a model built under `deferred` has no value yet."""
    return bool(PENDING) and any(module in PENDING for module in model.modules())
