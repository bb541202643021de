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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from ._memory import PENDING, Pending, empty_like, get, put
from .errors import UnsetError

_building: ContextVar[bool] = ContextVar("brickwork_init.building", default=False)


def constructing() -> bool:
    """Whether modules are being built under `deferred`."""
    return _building.get()


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
        # By storage; each is held, so that its address stays its own
        self._devices: dict[int, tuple[torch.UntypedStorage, torch.device]] = {}
        self._values: dict[int, Tensor] = {}
        self._drawn: dict[int, torch.UntypedStorage] = {}
        self._registered: list[tuple[weakref.ref[nn.Module], str]] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True, the default, imports torch._dynamo at the first call: most of a second.
        return False

    def registered(self, module: nn.Module, name: str, tensor: Tensor | None) -> None:
        """Note a parameter or buffer, to be settled once its constructor has run."""
        self._registered.append((weakref.ref(module), name))

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        facts = _facts(func)
        tensors = _tensors(args) + _tensors(kwargs.values())
        unknown = any(one.is_meta for one in tensors)
        if facts.writes:
            return self._write(func, args, kwargs, tensors, unknown)
        if unknown and func is aten._local_scalar_dense.default:
            return _read(tensors[0])
        if unknown or facts.draws or facts.allocates:
            return self._allocate(func, args, kwargs, tensors)
        return func(*args, **kwargs)

    def _allocate(self, func: Any, args: Any, kwargs: Any, tensors: list[Tensor]) -> Any:
        """Let an operation whose result has no values return one without memory."""
        sources = [self._devices[key][1] for one in tensors if (key := _key(one)) in self._devices]
        device = next(iter(sources), tensors[0].device if tensors else None)
        if _facts(func).takes_device:
            device = kwargs.get("device") or device
            kwargs = {**kwargs, "device": "meta"}
            kwargs.pop("pin_memory", None)
        device = torch.device(device) if device else torch.get_default_device()
        result = _call_without_memory(func, args, kwargs, tensors)
        if device.type != "meta":
            for one in _tensors((result,)):
                storage = one.untyped_storage()
                self._devices.setdefault(storage._cdata, (storage, device))
        return result

    def _write(
        self, func: Any, args: Any, kwargs: Any, tensors: list[Tensor], unknown: bool
    ) -> Any:
        """Note a write into memory that there is not, or of values that there are not."""
        target = kwargs.get("out", args[0] if args else None)
        if not isinstance(target, Tensor):
            return func(*args, **kwargs)
        key = _key(target)
        if target.is_meta:
            self._values.pop(key, None)
            if (value := _value_written(func, target, args)) is not None:
                self._values[key] = value
            return _call_without_memory(func, args, kwargs, tensors)
        if unknown or _facts(func).draws:
            self._drawn[key] = target.untyped_storage()
            return target
        if key in self._drawn and _value_written(func, target, args) is not None:
            del self._drawn[key]
        return func(*args, **kwargs)

    def settle(self) -> None:
        """Note what each parameter and buffer that was built is to become."""
        emptied: dict[int, Tensor] = {}  # tied tensors stay tied
        for owner, name in self._registered:
            module = owner()
            if module is None:
                continue
            tensor = get(module, name)
            if tensor is None:
                continue
            key = _key(tensor)
            if key in self._devices:
                pending = Pending(self._devices[key][1], self._values.get(key))
            elif key in self._drawn:
                pending = Pending(tensor.device)
                if id(tensor) not in emptied:
                    emptied[id(tensor)] = empty_like(tensor, torch.device("meta"))
                put(module, name, emptied[id(tensor)])
            else:
                continue
            PENDING.setdefault(module, {})[name] = pending


aten = torch.ops.aten
_EMPTY = {
    aten.empty,
    aten.empty_like,
    aten.empty_permuted,
    aten.empty_strided,
    aten.new_empty,
    aten.new_empty_strided,
}


class _Facts(NamedTuple):
    """What matters here about an operation."""

    writes: bool
    draws: bool
    allocates: bool
    takes_device: bool


@cache  # a constructor calls few operations many times, and their schemas are slow to ask
def _facts(func: Any) -> _Facts:
    return _Facts(
        writes=func._schema.is_mutable,
        draws=torch.Tag.nondeterministic_seeded in func.tags,
        allocates=func.overloadpacket in _EMPTY,
        takes_device=any(argument.name == "device" for argument in func._schema.arguments),
    )


def _key(tensor: Tensor) -> int:
    key: int = tensor.untyped_storage()._cdata
    return key


def _tensors(values: Iterable[Any]) -> list[Tensor]:
    """Find the tensors among the arguments or results of an operation, or in lists of these."""
    found: list[Tensor] = []
    for one in values:
        if isinstance(one, Tensor):
            found.append(one)
        elif isinstance(one, list | tuple):
            found += _tensors(one)
    return found


def _call_without_memory(func: Any, args: Any, kwargs: Any, tensors: Iterable[Tensor]) -> Any:
    if not all(one.is_meta for one in tensors):
        args, kwargs = tree_map_only(Tensor, lambda one: one.to("meta"), (args, kwargs))
    return func(*args, **kwargs)


def _read(tensor: Tensor) -> bool:
    """Answer a constructor that reads a value which was not drawn.

    `torch.nn.init.trunc_normal_` and its like draw until no value is out of bounds.
    """
    if tensor.dtype == torch.bool:
        return False
    raise UnsetError(
        "a constructor reads a value that depends on a random draw, but under deferred() nothing "
        "is drawn; build this module outside of it"
    )


def _value_written(func: Any, target: Tensor, args: Any) -> Tensor | None:
    """Return what an operation writes into the whole of `target`, if it can be remembered."""
    if target.untyped_storage().nbytes() != target.numel() * target.element_size():
        return None  # a part of it
    if func is aten.zero_.default:
        return torch.zeros((), dtype=target.dtype)
    if func is aten.fill_.Scalar:
        return torch.full((), args[1], dtype=target.dtype)
    if func in (aten.fill_.Tensor, aten.copy_.default) and target.is_contiguous():
        return None if args[1].is_meta else args[1].detach().to(target.dtype, copy=True)
    return None
