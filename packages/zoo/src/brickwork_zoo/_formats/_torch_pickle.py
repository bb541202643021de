"""Files of ``torch.save`` as data, without the bytes of tensors. Works without torch."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from ._data_file import damaged
from ._dtypes import ITEM_SIZES, MAX_DIMENSIONS
from ._file_window import open_stream
from ._safe_pickle._allow_list import ALLOWED, state_setters
from ._safe_pickle._opaque_object import BrokenPickleError, OpaqueObject, PickledGlobal
from ._safe_pickle._unpickler import SafeUnpickler
from ._stored_tensor import StoredBytes, StoredTensor
from ._torch_layout import TorchLayout
from ._torch_legacy import locate_storages

MakeValue = Callable[[str, Any], Any]
"""Takes ``"dtype"``, ``"device"`` or ``"size"`` and the pickled argument; returns the object."""

# Prefix of a storage class (FloatStorage) -> dtype.
_STORAGE_DTYPES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexDouble": "complex128",
    "ComplexFloat": "complex64",
}


def plain_value(kind: str, argument: Any) -> Any:
    """Return the name of a dtype, the arguments of a device or the items of a size."""
    return argument


@dataclass(frozen=True, eq=False)
class _Storage:
    """A typed storage that a pickle refers to: elements of one dtype.

    Attributes:
        data: The bytes of the whole storage.
        dtype: Name of the dtype in torch.
        offset: Index of the first element.
        count: Number of elements.
    """

    data: StoredBytes
    dtype: str
    offset: int
    count: int


@dataclass(frozen=True, eq=False)
class _StorageType:
    dtype: str


def torch_globals(make_value: MakeValue) -> dict[str, Any]:
    """Return the allow-list, extended by the names that pickled tensors refer to."""
    functions: dict[str, Callable[..., Any]] = {
        "torch.Size": lambda size=(): make_value("size", tuple(size)),
        "torch.device": lambda *args: make_value("device", args),
        "torch._utils._rebuild_tensor": _make_tensor,
        "torch._utils._rebuild_tensor_v2": _make_tensor,
        "torch._utils._rebuild_tensor_v3": _make_tensor_of_dtype,
        "torch._utils._rebuild_parameter": _make_parameter,
        "torch._utils._rebuild_parameter_with_state": _make_parameter,
        "torch.nn.parameter.Parameter": _make_parameter,
        "torch._tensor._rebuild_from_type_v2": _make_from_type,
        "torch.Tensor": lambda *args: OpaqueObject("torch.Tensor", args),
    }
    table: dict[str, Any] = {name: PickledGlobal(name, make) for name, make in functions.items()}
    table |= {f"torch.{head}Storage": _StorageType(d) for head, d in _STORAGE_DTYPES.items()}
    table |= {f"torch.{dtype}": make_value("dtype", dtype) for dtype in ITEM_SIZES}
    table |= dict.fromkeys(
        ("torch.UntypedStorage", "torch.storage.UntypedStorage"), _StorageType("uint8")
    )
    return {**ALLOWED, **table}


def _make_tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> StoredTensor:
    if not isinstance(storage, _Storage):
        raise TypeError("a tensor has no storage")
    return _checked(storage, storage.dtype, storage.offset, storage.count, offset, shape, stride)


def _make_tensor_of_dtype(
    storage: Any,
    offset: Any,
    shape: Any,
    stride: Any,
    requires_grad: Any,
    hooks: Any,
    dtype: Any,
    *_: Any,
) -> StoredTensor:
    """Make a tensor of a dtype without a storage class, from a storage of bytes."""
    is_dtype = type(dtype).__name__ in ("dtype", "str")  # the text of other types may be huge
    name = str(dtype).removeprefix("torch.") if is_dtype else ""
    if not isinstance(storage, _Storage) or storage.dtype != "uint8" or storage.offset:
        raise TypeError("a tensor has no storage of bytes")
    if name not in ITEM_SIZES:
        raise TypeError(f"a tensor has the unknown dtype {name[:40]!r}")
    return _checked(storage, name, 0, storage.count // ITEM_SIZES[name], offset, shape, stride)


def _checked(
    storage: _Storage,
    dtype: str,
    first: int,
    count: int,
    offset: Any,
    shape: Any,
    stride: Any,
) -> StoredTensor:
    """Return a tensor; raise unless it lies within `count` elements that begin at `first`."""
    plain = all(type(n) is int and 0 <= n < 2**63 for n in (offset, *shape, *stride))
    if not plain or not len(shape) == len(stride) <= MAX_DIMENSIONS:
        raise ValueError("a tensor has an invalid shape, stride or offset")
    last = offset + sum((n - 1) * step for n, step in zip(shape, stride, strict=True))
    if 0 not in shape and last >= count:
        raise ValueError(f"a tensor extends to element {last} of a storage with {count} elements")
    return StoredTensor(storage.data, dtype, tuple(shape), first + offset, tuple(stride))


def _make_parameter(data: Any, requires_grad: Any = True, *_: Any) -> StoredTensor:
    if not isinstance(data, StoredTensor):
        raise TypeError("a parameter has no tensor")
    return dataclasses.replace(data, requires_grad=bool(requires_grad))


def _make_from_type(make: Any, kind: Any, args: Any, _: Any = None) -> Any:
    """Make a tensor or parameter and drop its additional attributes."""
    if not isinstance(make, PickledGlobal) or not isinstance(kind, PickledGlobal):
        raise TypeError("a tensor has no type")
    if kind.full_name not in ("torch.Tensor", "torch.nn.parameter.Parameter"):
        return OpaqueObject(kind.full_name, tuple(args))
    return make.call(*args)


class TorchPickle:
    """The content of a file of ``torch.save``, with a :class:`StoredTensor` for each tensor.

    Args:
        layout: The layout of the file.
        make_value: Makes dtypes, devices and sizes.

    Attributes:
        content: The saved object.
        unknown: Names in the pickle that are not on the allow-list.
        known: Names in the pickle that are on the allow-list.
    """

    def __init__(self, layout: TorchLayout, make_value: MakeValue = plain_value) -> None:
        self._layout = layout
        self._storages: dict[str, _Storage] = {}
        self._legacy_bytes = 0  # total size of the storages in a legacy file
        unpickler = SafeUnpickler(torch_globals(make_value), self._load_storage, state_setters())
        order: list[str] = []
        try:
            with open_stream(layout.file) as stream:
                stream.seek(layout.pickle_start)
                self.content = unpickler.load(stream)
                if layout.kind == "legacy":
                    order = _read_storage_order(stream)
                data_start = stream.tell()
        except BrokenPickleError as error:
            raise damaged(layout.file, error) from error
        self.unknown = list(unpickler.unknown)
        self.known = list(unpickler.known)
        if layout.kind == "legacy" and not self.unknown:  # the caller refuses unknown names
            storages = {key: storage.data for key, storage in self._storages.items()}
            locate_storages(layout.file, storages, order, data_start)

    def _load_storage(self, identity: Any) -> _Storage | OpaqueObject:
        if type(identity) is not tuple or len(identity) not in (5, 6):
            raise BrokenPickleError("the id of a storage must be a tuple of 5 or 6 items")
        word, kind, key, location, count = identity[:5]
        text = type(word) is type(key) is type(location) is str and word == "storage"
        if text and type(kind) is PickledGlobal:  # an unknown storage type, recorded as such
            return OpaqueObject(kind.full_name)
        if not text or not isinstance(kind, _StorageType) or type(count) is not int:
            raise BrokenPickleError("a storage has an invalid type, key or length")
        storage = self._storage(kind.dtype, key, location, count)
        if len(identity) == 5 or identity[5] is None:
            return storage
        _, offset, length = identity[5]  # a view of a storage, in files of torch 0.4
        if not 0 <= offset <= offset + length <= storage.count:
            raise BrokenPickleError("a view extends past its storage")
        return dataclasses.replace(storage, offset=offset, count=length)

    def _storage(self, dtype: str, key: str, location: str, count: int) -> _Storage:
        known = self._storages.get(key)
        if known is not None:
            # A storage that is used with two dtypes is in the file once.
            if count * ITEM_SIZES[dtype] > known.data.length:
                raise BrokenPickleError(f"storage {key} is shorter than its tensors")
            return _Storage(known.data, dtype, 0, count)
        length = count * ITEM_SIZES[dtype]
        start = self._find(key, length)
        item = ITEM_SIZES[dtype]
        swapped = item > 1 and self._layout.big_endian != (sys.byteorder == "big")
        data = StoredBytes(self._layout.file, start, length, location, item, swapped)
        self._storages[key] = _Storage(data, dtype, 0, count)
        return self._storages[key]

    def _find(self, key: str, length: int) -> int:
        """Return the start of a storage; 0 for a legacy file, where it is set later."""
        if self._layout.kind == "zip":
            start, available = self._layout.records.get(key, (0, -1))
            if not 0 <= length <= available:
                raise BrokenPickleError(f"storage {key} is missing or too short")
            return start
        self._legacy_bytes += max(0, length)
        if length < 0 or self._legacy_bytes > self._layout.file.size:
            raise BrokenPickleError("the storages are longer than the file")
        return 0


def _read_storage_order(stream: BinaryIO) -> list[str]:
    keys = SafeUnpickler({}).load(stream)
    if not isinstance(keys, list):
        raise BrokenPickleError("the list of storages is missing")
    return [str(key) for key in keys]
