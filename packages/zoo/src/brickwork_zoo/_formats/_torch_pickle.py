"""Files of ``torch.save`` as data, with tensors made by whoever reads. Needs no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

from brickwork_zoo.errors import CheckpointError

from ._dtypes import ITEM_SIZES, MAX_DIMENSIONS
from ._safe_pickle._allow_list import REVIEWED, fillers
from ._safe_pickle._opaque_object import BrokenPickleError, Inert, Name
from ._safe_pickle._unpickler import Machine
from ._torch_layout import Pickled

S = TypeVar("S")

# torch's old storage classes, one for each dtype.
_STORAGES = {
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


class Maker(Protocol[S]):
    """Makes the tensors that a pickle describes."""

    def storage(self, dtype: str, key: str, location: str, count: int) -> S:
        """A storage of ``count`` elements."""

    def view(self, storage: S, dtype: str, offset: int, count: int) -> S:
        """A part of a storage, counted in elements."""

    def tensor(self, stored: Stored[S], offset: int, size: tuple[int, ...], stride: Any) -> Any:
        """A tensor on a storage, already checked to lie within it."""

    def parameter(self, tensor: Any, requires_grad: bool) -> Any:
        """A parameter of a tensor."""

    def value(self, kind: str, argument: Any) -> Any:
        """A ``"dtype"``, ``"device"`` or ``"size"``."""


@dataclass(frozen=True, eq=False)
class Stored(Generic[S]):
    """A storage as a pickle knows it: with a dtype and a length in elements."""

    storage: S
    dtype: str
    count: int


@dataclass(frozen=True, eq=False)
class _StorageType:
    dtype: str


def names_for(maker: Maker[Any]) -> dict[str, Any]:
    """The reviewed list, and what a pickle needs for tensors."""

    def tensor(stored: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Any:
        if not isinstance(stored, Stored):
            raise TypeError("a tensor without a storage")
        numbers = (offset, *size, *stride)
        plain = all(type(n) is int and 0 <= n < 2**63 for n in numbers)
        if not plain or not len(size) == len(stride) <= MAX_DIMENSIONS:
            raise ValueError("a tensor of odd size, stride or offset")
        last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
        if 0 not in size and last >= stored.count:
            raise ValueError(f"a tensor reaches element {last} of {stored.count}")
        return maker.tensor(stored, offset, tuple(size), tuple(stride))

    def parameter(data: Any, requires_grad: Any = True, *_: Any) -> Any:
        return maker.parameter(data, bool(requires_grad))

    def from_type(func: Any, kind: Any, args: Any, _: Any = None) -> Any:
        # A plain tensor or parameter that carried attributes, which are dropped.
        if not isinstance(func, Name) or not isinstance(kind, Name):
            raise TypeError("a tensor of no type")
        if kind.full not in ("torch.Tensor", "torch.nn.parameter.Parameter"):
            return Inert(kind.full, tuple(args))
        return func.make(*args)

    made: dict[str, Callable[..., Any]] = {
        "torch.Size": lambda size=(): maker.value("size", tuple(size)),
        "torch.device": lambda *args: maker.value("device", args),
        "torch._utils._rebuild_tensor": tensor,
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_parameter": parameter,
        "torch._utils._rebuild_parameter_with_state": parameter,
        "torch.nn.parameter.Parameter": parameter,
        "torch._tensor._rebuild_from_type_v2": from_type,
        "torch.Tensor": lambda *args: Inert("torch.Tensor", args),
    }
    names: dict[str, Any] = {full: Name(full, make) for full, make in made.items()}
    names |= {f"torch.{prefix}Storage": _StorageType(d) for prefix, d in _STORAGES.items()}
    names |= {f"torch.{dtype}": maker.value("dtype", dtype) for dtype in ITEM_SIZES}
    names |= dict.fromkeys(
        ("torch.UntypedStorage", "torch.storage.UntypedStorage"), _StorageType("uint8")
    )
    return {**REVIEWED, **names}


class Reading(Generic[S]):
    """One reading of the main pickle of a file.

    Args:
        layout: Of the file.
        maker: Makes the tensors.

    Attributes:
        content: What the file holds.
        unknown: The names it asks for that are not on the reviewed list.
        known: Those that are.
        storages: Storage key -> its dtype and length in elements.
        order: The storages of a legacy file, in the order in which their bytes follow.
        data_start: Where these begin.
    """

    def __init__(self, layout: Pickled, maker: Maker[S]) -> None:
        self.storages: dict[str, Stored[S]] = {}
        self._layout = layout
        self._maker = maker
        self._promised = 0  # bytes of a legacy file that its storages want
        machine = Machine(names_for(maker), self._storage, fillers())
        try:
            with layout.path.open("rb") as file:
                file.seek(layout.pickle_start)
                self.content = machine.load(file)
                self.order = _order(file) if layout.kind == "legacy" else []
                self.data_start = file.tell()
        except BrokenPickleError as error:
            raise CheckpointError(
                f"{layout.path} is cut off or damaged: {error}", path=layout.path
            ) from error
        self.unknown = list(machine.unknown)
        self.known = list(machine.known)

    def _storage(self, identity: Any) -> Stored[S] | Inert:
        if type(identity) is not tuple or len(identity) not in (5, 6):
            raise BrokenPickleError("a storage of odd identity")
        word, kind, key, location, count = identity[:5]
        view = identity[5] if len(identity) == 6 else None
        text = type(word) is type(key) is type(location) is str and word == "storage"
        if text and type(kind) is Name:  # of a type that is not on the list, and noted as such
            return Inert(kind.full)
        if not text or not isinstance(kind, _StorageType) or type(count) is not int:
            raise BrokenPickleError("a storage of odd identity")
        root = self._root(kind.dtype, key, location, count)
        if view is None:
            return root
        _, offset, length = view
        if not 0 <= offset <= offset + length <= root.count:
            raise BrokenPickleError("a part that reaches past its storage")
        return Stored(
            self._maker.view(root.storage, kind.dtype, offset, length), kind.dtype, length
        )

    def _root(self, dtype: str, key: str, location: str, count: int) -> Stored[S]:
        known = self.storages.get(key)
        if known is not None:
            if (known.dtype, known.count) == (dtype, count):
                return known
            # The same bytes under another dtype: torch.save writes it once, as the first.
            whole = known.count * ITEM_SIZES[known.dtype]
            if count * ITEM_SIZES[dtype] > whole:
                raise BrokenPickleError(f"storage {key} is used longer than it is")
            return Stored(known.storage, dtype, count)
        self._check_length(dtype, key, count)
        stored = Stored(self._maker.storage(dtype, key, location, count), dtype, count)
        self.storages[key] = stored
        return stored

    def _check_length(self, dtype: str, key: str, count: int) -> None:
        needed = count * ITEM_SIZES[dtype]
        if self._layout.kind == "zip":
            start_length = self._layout.records.get(key)
            if start_length is None or not 0 <= needed <= start_length[1]:
                raise BrokenPickleError(f"storage {key} is missing or shorter than it should be")
            return
        self._promised += max(0, needed)
        if needed < 0 or self._promised > self._layout.path.stat().st_size:
            raise BrokenPickleError("the storages are longer than the file")


def _order(file: BinaryIO) -> list[str]:
    keys = Machine({}).load(file)
    if not isinstance(keys, list):
        raise BrokenPickleError("no list of storages")
    return [str(key) for key in keys]
