"""What happens to tensors in constructors under `deferred`: nothing is drawn, no memory is touched.

Tensors that torch would allocate without values, or draw, are created on the meta device, and so
is whatever is computed from them. What a constructor computes without drawing (``torch.arange``,
``torch.zeros``, ...) is computed. A constant written into the whole of a tensor without memory is
remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from ._dispatch import DispatchMode, operator, storage_key, tensors_in
from .errors import UninitializedError

_aten = torch.ops.aten
_EMPTY = {
    _aten.empty,
    _aten.empty_like,
    _aten.empty_permuted,
    _aten.empty_strided,
    _aten.new_empty,
    _aten.new_empty_strided,
}
_SET_DATA = Tensor.data.__set__  # type: ignore[attr-defined]  # a property, in C


class Deferral(NamedTuple):
    """What a tensor without a value is to become.

    Args:
        device: Where it was to be allocated.
        constant: The value that its constructor wrote last, if that is a constant.
    """

    device: torch.device
    constant: Tensor | None


class Construction:
    """Creates tensors without values, and remembers what they are to become.

    Attributes:
        dispatch_mode: Sees operators.
        function_mode: Sees ``tensor.data = ...``, which is not an operator.
    """

    def __init__(self) -> None:
        self.dispatch_mode = DispatchMode(self._intercept)
        self.function_mode = _DataSetter(self)
        # By storage; each is kept alive, so that its key stays its own
        self._devices: dict[int, tuple[torch.UntypedStorage, torch.device]] = {}
        self._constants: dict[int, Tensor] = {}
        self._drawn: dict[int, torch.UntypedStorage] = {}  # have memory, but no values in it

    def deferral(self, tensor: Tensor) -> Deferral | None:
        """Return what a tensor is to become; None if it has its value."""
        key = storage_key(tensor)
        if key in self._devices:
            return Deferral(self._devices[key][1], self._constants.get(key))
        return Deferral(tensor.device, None) if key in self._drawn else None

    def set_data(self, target: Tensor, value: Tensor) -> None:
        """Carry out ``target.data = value``."""
        device = self._device_of([target, value])
        if target.is_meta == value.is_meta or device is None:
            _SET_DATA(target, value)
        elif target.is_meta:
            _SET_DATA(target, torch.empty_like(value, device="meta"))
            self._defer(target, device)
            self._constants[storage_key(target)] = value.detach().clone()
        else:
            zeros = torch.zeros(value.shape, dtype=value.dtype, device=device)  # is computed
            _SET_DATA(target, zeros)
            self._drawn[storage_key(target)] = target.untyped_storage()

    def _intercept(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        facts = operator(func)
        tensors = tensors_in((*args, *kwargs.values()))
        lacks_values = any(tensor.is_meta for tensor in tensors)
        if facts.written:
            return self._write(func, args, kwargs, tensors, lacks_values)
        if lacks_values and func is _aten._local_scalar_dense.default:
            return _read(tensors[0])
        if lacks_values or facts.draws or func.overloadpacket in _EMPTY:
            return self._create(func, args, kwargs, tensors)
        return func(*args, **kwargs)

    def _create(self, func: Any, args: Any, kwargs: Any, tensors: list[Tensor]) -> Any:
        """Return the result of an operator as tensors without memory."""
        device = self._device_of(tensors) or (tensors[0].device if tensors else None)
        if operator(func).takes_device:
            device = kwargs.get("device") or device
            kwargs = {**kwargs, "device": "meta"}
            kwargs.pop("pin_memory", None)
        device = torch.device(device) if device else torch.get_default_device()
        result = _call_on_meta(func, args, kwargs, tensors)
        for tensor in tensors_in((result,)):
            self._defer(tensor, device)
        return result

    def _defer(self, tensor: Tensor, device: torch.device) -> None:
        if device.type != "meta":
            storage = tensor.untyped_storage()
            self._devices.setdefault(storage_key(tensor), (storage, device))

    def _device_of(self, tensors: list[Tensor]) -> torch.device | None:
        for tensor in tensors:
            if (key := storage_key(tensor)) in self._devices:
                return self._devices[key][1]
        return None

    def _write(
        self, func: Any, args: Any, kwargs: Any, tensors: list[Tensor], lacks_values: bool
    ) -> Any:
        """Note a write into a tensor without memory, or of values that were not drawn."""
        target = kwargs.get("out", args[0] if args else None)
        if not isinstance(target, Tensor):
            return func(*args, **kwargs)
        key = storage_key(target)
        constant = _constant_written(func, target, args)
        if target.is_meta:
            self._constants.pop(key, None)
            if constant is not None:
                self._constants[key] = constant
            return _call_on_meta(func, args, kwargs, tensors)
        if lacks_values or operator(func).draws:
            self._drawn[key] = target.untyped_storage()
            return target
        if constant is not None:
            self._drawn.pop(key, None)
        return func(*args, **kwargs)


class _DataSetter(TorchFunctionMode):
    """Passes ``tensor.data = ...`` to a `Construction`."""

    def __init__(self, construction: Construction) -> None:
        super().__init__()
        self._construction = construction

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func == _SET_DATA:
            return self._construction.set_data(*args)
        return func(*args, **(kwargs or {}))


def _call_on_meta(func: Any, args: Any, kwargs: Any, tensors: Iterable[Tensor]) -> Any:
    if not all(tensor.is_meta for tensor in tensors):
        args, kwargs = tree_map_only(Tensor, lambda tensor: tensor.to("meta"), (args, kwargs))
    return func(*args, **kwargs)


def _read(tensor: Tensor) -> bool:
    """Answer a constructor that reads a value which was not drawn.

    `torch.nn.init.trunc_normal_` and its like draw until no value is out of bounds.
    """
    if tensor.dtype == torch.bool:
        return False
    raise UninitializedError(
        "a constructor reads a value that depends on a random draw, but under deferred() nothing "
        "is drawn; build this module outside of deferred()"
    )


def _constant_written(func: Any, target: Tensor, args: Any) -> Tensor | None:
    """Return the constant that an operator writes into the whole of a tensor."""
    if target.untyped_storage().nbytes() != target.numel() * target.element_size():
        return None  # `target` is a part of a tensor
    if func is _aten.zero_.default:
        return torch.zeros((), dtype=target.dtype)
    if func is _aten.fill_.Scalar:
        return torch.full((), args[1], dtype=target.dtype)
    if func in (_aten.fill_.Tensor, _aten.copy_.default) and target.is_contiguous():
        return None if args[1].is_meta else args[1].detach().to(target.dtype, copy=True)
    return None
