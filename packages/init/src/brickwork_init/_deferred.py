"""Construction without values: no default is drawn, none is written, no memory is touched.

Under `deferred`, what torch would allocate without values, or draw, lies on the meta device: it
has a shape and a type, and no memory. Whatever is computed from it has none either. What a
constructor computes without drawing, from ``torch.arange``, ``torch.linspace``, ``torch.zeros``
and the like, is computed: these are the buffers that no checkpoint holds. A constant written into
an allocated tensor, ones for the weight of a norm, say, is remembered instead of written.

Nothing can be read from a tensor on the meta device, so that a value forgotten is an error and
never garbage. The outermost `init_weights` gives memory to what has none, fills it, and names
what is left.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from ._provenance import named_tensors
from .errors import InitError, UnsetError

_building: ContextVar[bool] = ContextVar("brickwork_init.building", default=False)


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
_pending: weakref.WeakKeyDictionary[nn.Module, dict[str, Pending]] = weakref.WeakKeyDictionary()


def constructing() -> bool:
    """Whether modules are being built under `deferred`."""
    return _building.get()


def unset(model: nn.Module) -> list[str]:
    """Name the parameters and buffers that have no value yet.

    Args:
        model: The model, or a part of one.

    Returns:
        Their dotted names: whatever lies on the meta device.
    """
    return [name for name, tensor in named_tensors(model) if tensor.is_meta]


@contextmanager
def deferred() -> Iterator[None]:
    """Build modules without drawing or writing their default values.

    Afterwards give every parameter and buffer its value: by a checkpoint, by `init_weights`, or
    by both in this order. `unset` names what has none yet.

    Example:
        >>> from brickwork_init import deferred, initialize, unset
        >>> from torch import nn
        >>> with deferred():
        ...     layer = nn.Linear(4096, 4096)
        >>> unset(layer)
        ['weight', 'bias']
        >>> initialize(layer, dict(type='Normal', std=0.02, layer='Linear'))
        >>> unset(layer)
        []
    """
    if _building.get():  # an inner one adds nothing
        yield
        return
    mode = _Deferring()
    token = _building.set(True)
    handles = [
        hooks.register_module_parameter_registration_hook(mode.registered),
        hooks.register_module_buffer_registration_hook(mode.registered),
    ]
    try:
        with mode:
            yield
    finally:
        _building.reset(token)
        for handle in handles:
            handle.remove()
    mode.settle()


class _Deferring(TorchDispatchMode):
    """Allocates on the meta device, and remembers constants instead of writing them."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self._devices: dict[int, tuple[torch.UntypedStorage, torch.device]] = {}
        self._values: dict[int, Tensor] = {}
        self._drawn: dict[int, torch.UntypedStorage] = {}
        self._registered: list[tuple[weakref.ref[nn.Module], str]] = []

    def registered(self, module: nn.Module, name: str, tensor: Tensor | None) -> None:
        """Note a parameter or buffer, to be settled once its constructor has run."""
        self._registered.append((weakref.ref(module), name))

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func._schema.is_mutable:
            return self._write(func, args, kwargs)
        tensors = [one for one in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        unknown = any(one.is_meta for one in tensors)
        if func is torch.ops.aten._local_scalar_dense.default and unknown:
            return _unread(tensors[0])
        if unknown or _without_values(func):
            return self._allocate(func, args, kwargs, tensors)
        return func(*args, **kwargs)
