"""Tensors on files: mapped where the bytes can be used as they lie, read where not. Needs torch."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Callable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeAlias, cast

import torch
from torch import Tensor, nn

from brickwork_zoo.errors import CheckpointError

from ._dtypes import ITEM_SIZES
from ._safetensors import read_safetensors
from ._torch_layout import Pickled
from ._torch_pickle import Reading, Stored

MapLocation: TypeAlias = (
    "str | torch.device | Mapping[str, str] | Callable[[torch.UntypedStorage, str], Any] | None"
)


# torch leaves these without types
_Storage = cast("Callable[[int], torch.UntypedStorage]", torch.UntypedStorage)
_restore = cast("Callable[[Any, str], Any]", torch.serialization.default_restore_location)


def _part(storage: torch.UntypedStorage, start: int, stop: int) -> torch.UntypedStorage:
    return cast("torch.UntypedStorage", storage[start:stop])


def _copy(storage: torch.UntypedStorage) -> torch.UntypedStorage:
    copy = _Storage(storage.nbytes())
    copy.copy_(storage)
    return copy


class FileMap:
    """A file mapped copy-on-write: what is written to its tensors stays in this process.

    Args:
        path: The file; it must not shrink while its tensors live.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = path.stat().st_size
        self._whole = cast(
            "torch.UntypedStorage",
            torch.UntypedStorage.from_file(str(path), False, self.size),
        )

    def storage(self, start: int, length: int, item: int) -> torch.UntypedStorage:
        """The bytes from ``start``; copied if elements of ``item`` bytes would not be aligned."""
        if not 0 <= start <= start + length <= self.size:
            raise CheckpointError(f"{self.path} is cut off or damaged", path=self.path)
        part = _part(self._whole, start, start + length)
        return part if start % item == 0 else _copy(part)


def tensor_on(
    storage: torch.UntypedStorage,
    dtype: torch.dtype,
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
) -> Tensor:
    """A tensor on a storage, counted in elements."""
    return torch.empty(0, dtype=dtype, device=storage.device).set_(storage, offset, size, stride)


class TorchValues:
    """Makes dtypes, devices and sizes; refuses tensors."""

    def storage(self, dtype: str, key: str, location: str, count: int) -> torch.UntypedStorage:
        """Refuse a storage."""
        raise TypeError("a storage where none can be")

    def view(
        self, storage: torch.UntypedStorage, dtype: str, offset: int, count: int
    ) -> torch.UntypedStorage:
        """A part of a storage."""
        item = ITEM_SIZES[dtype]
        return _part(storage, offset * item, (offset + count) * item)

    def tensor(
        self,
        stored: Stored[torch.UntypedStorage],
        offset: int,
        size: tuple[int, ...],
        stride: tuple[int, ...],
    ) -> Tensor:
        """A tensor on a storage."""
        return tensor_on(stored.storage, getattr(torch, stored.dtype), offset, size, stride)

    def parameter(self, tensor: Any, requires_grad: bool) -> Any:
        """A parameter; it keeps its kind, as with :func:`torch.load`."""
        if not isinstance(tensor, Tensor):
            raise TypeError("a parameter of no tensor")
        return nn.Parameter(tensor, requires_grad=requires_grad)

    def value(self, kind: str, argument: Any) -> Any:
        """A dtype, device or size."""
        if kind == "dtype":
            return getattr(torch, argument, argument)
        return torch.device(*argument) if kind == "device" else torch.Size(argument)


class TorchMaker(TorchValues):
    """Makes the tensors of one pickled file.

    Args:
        layout: Of the file.
        map_location: Where the storages go.
    """

    def __init__(self, layout: Pickled, map_location: MapLocation) -> None:
        self._layout = layout
        self._place = placement(map_location)
        self._map = FileMap(layout.path) if layout.kind == "zip" else None
        self.pending: dict[str, torch.UntypedStorage] = {}  # legacy: bytes come behind the pickle
        self.locations: dict[str, str] = {}

    def storage(self, dtype: str, key: str, location: str, count: int) -> torch.UntypedStorage:
        """Map, or reserve, a storage."""
        item = ITEM_SIZES[dtype]
        if self._map is None:
            self.pending[key] = _Storage(count * item)
            self.locations[key] = location
            return self.pending[key]
        start, _ = self._layout.records[key]
        storage = self._map.storage(start, count * item, item)
        if self._layout.big_endian != (sys.byteorder == "big") and item > 1:
            storage = _copy(storage)
            storage.byteswap(getattr(torch, dtype))  # type: ignore[no-untyped-call]  # torch's
        placed: torch.UntypedStorage = self._place(storage, location)
        return placed

    def fill(self, file: BufferedReader, key: str) -> None:
        """Read the bytes of a legacy storage from behind the pickle."""
        storage = self.pending.get(key)
        count = int.from_bytes(file.read(8), "little", signed=True)
        if storage is None:
            raise CheckpointError(
                f"{self._layout.path} is damaged: storage {key} belongs to nothing",
                path=self._layout.path,
            )
        length = storage.nbytes()
        buffer = (ctypes.c_ubyte * length).from_address(storage.data_ptr() if length else 0)
        if count < 0 or (length and file.readinto(buffer) != length):
            raise CheckpointError(f"{self._layout.path} is cut off", path=self._layout.path)


def placement(map_location: MapLocation) -> Callable[[torch.UntypedStorage, str], Any]:
    """What brings a storage to where it should be, as ``map_location`` of :func:`torch.load`."""
    if callable(map_location):
        return lambda storage, tag: _given(map_location(storage, tag), storage, tag)
    if isinstance(map_location, Mapping):
        return lambda storage, tag: _restore(storage, map_location.get(tag, tag))
    if map_location is None:
        return _restore
    return lambda storage, _: _restore(storage, str(map_location))


def _given(result: Any, storage: torch.UntypedStorage, tag: str) -> Any:
    return _restore(storage, tag) if result is None else result


def read_pickled(layout: Pickled, map_location: MapLocation) -> Reading[torch.UntypedStorage]:
    """Read a file of ``torch.save`` as data.

    Args:
        layout: Of the file.
        map_location: Where its tensors go.

    Returns:
        What it holds, and what it asks for.

    Raises:
        CheckpointError: It is cut off or damaged.
    """
    if layout.kind == "legacy":
        return _read_legacy(layout, map_location)
    return Reading(layout, TorchMaker(layout, map_location))


def _read_legacy(layout: Pickled, map_location: MapLocation) -> Reading[torch.UntypedStorage]:
    maker = TorchMaker(layout, map_location)
    reading = Reading(layout, maker)
    if not reading.unknown:  # else the file is refused, and its bytes are not worth reading
        with layout.path.open("rb") as file:
            file.seek(reading.data_start)
            for key in reading.order:
                maker.fill(file, key)
        if missing := maker.pending.keys() - set(reading.order):
            raise CheckpointError(
                f"{layout.path} is damaged: no bytes for storages {sorted(missing)[:5]}",
                path=layout.path,
            )
    return reading


def load_safetensors(path: Path, map_location: MapLocation = "cpu") -> dict[str, Tensor]:
    """Map a safetensors file.

    Args:
        path: The file.
        map_location: Where its tensors go; the file itself knows no devices.

    Returns:
        Key -> tensor.

    Raises:
        CheckpointError: Its header is bad.
    """
    entries = read_safetensors(path)
    place = placement(map_location)
    mapped = FileMap(path)
    tensors = {}
    for key, entry in entries.items():
        item = ITEM_SIZES[entry.dtype]
        storage = place(mapped.storage(entry.start, entry.stop - entry.start, item), "cpu")
        strides = tuple(math.prod(entry.shape[n + 1 :]) for n in range(len(entry.shape)))
        tensors[key] = tensor_on(storage, getattr(torch, entry.dtype), 0, entry.shape, strides)
    return tensors
