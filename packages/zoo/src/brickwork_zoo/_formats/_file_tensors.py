"""Tensors of a file: read into memory, mapped, or lazy. Needs torch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

import torch
from torch import Tensor, nn

from ._data_file import DataFile, damaged
from ._lazy_tensor import LazyTensor, Read
from ._map_location import MapLocation, MoveStorage, storage_mover
from ._read_tensor import Box, read_storage, read_tensor
from ._stored_tensor import StoredBytes, StoredTensor, replace_leaves

Access: TypeAlias = Literal["read", "map", "lazy"]
"""How to access the bytes of tensors: ``"read"`` copies them into memory; ``"map"`` maps the file
copy-on-write, so that pages are read on first use and the file must not be modified; ``"lazy"``
leaves them in the file, as :class:`LazyTensor`."""


def make_tensors(content: Any, map_location: MapLocation, access: Access) -> Any:
    """Replace each :class:`StoredTensor` of a checkpoint by a torch tensor."""
    move = storage_mover(map_location)
    if access == "lazy":
        return replace_leaves(content, StoredTensor, partial(lazy_tensor, move=move))
    storages = _mapped(content, move) if access == "map" else _read_all(content, move)
    return replace_leaves(content, StoredTensor, lambda stored: _tensor(stored, storages(stored)))


def lazy_tensor(stored: StoredTensor, move: MoveStorage) -> LazyTensor:
    """Return a lazy tensor for a tensor in a file."""
    return LazyTensor(_FileSource(stored, move), stored.shape, getattr(torch, stored.dtype))


class _FileSource:
    """Source of a lazy tensor whose bytes are contiguous in one file."""

    def __init__(self, stored: StoredTensor, move: MoveStorage) -> None:
        self._stored, self._move = stored, move
        self.position = str(stored.storage.file.path), stored.storage.start

    def slice(self, box: Box) -> Read:
        """Return a function that reads a part; opening the file has checked the whole tensor."""
        return partial(read_tensor, self._stored, box)

    def to_device(self, tensor: Tensor) -> Tensor:
        """Move the complete tensor to the device that ``map_location`` selects."""
        storage = self._move(tensor.untyped_storage(), self._stored.storage.location)
        return tensor_on(storage, tensor.dtype, 0, tuple(tensor.shape), tensor.stride())


def _tensor(stored: StoredTensor, storage: torch.UntypedStorage) -> Tensor:
    dtype = getattr(torch, stored.dtype)
    tensor = tensor_on(storage, dtype, stored.offset, stored.shape, stored.stride)
    if stored.requires_grad is None:
        return tensor
    return nn.Parameter(tensor, requires_grad=stored.requires_grad)


def tensor_on(
    storage: torch.UntypedStorage,
    dtype: torch.dtype,
    offset: int,
    shape: tuple[int, ...],
    stride: tuple[int, ...],
) -> Tensor:
    """Return a tensor that views a storage; offset and strides are in elements."""
    return torch.empty(0, dtype=dtype, device=storage.device).set_(storage, offset, shape, stride)


def _read_all(content: Any, move: MoveStorage) -> Callable[[StoredTensor], torch.UntypedStorage]:
    """Read all storages in file order; return a function from stored tensor to storage."""
    needed: dict[int, StoredBytes] = {}

    def collect(stored: StoredTensor) -> StoredTensor:
        needed[id(stored.storage)] = stored.storage
        return stored

    replace_leaves(content, StoredTensor, collect)
    storages = {
        id(data): move(read_storage(data), data.location)
        for data in sorted(needed.values(), key=lambda data: (str(data.file.path), data.start))
    }
    return lambda stored: storages[id(stored.storage)]


def _mapped(content: Any, move: MoveStorage) -> Callable[[StoredTensor], torch.UntypedStorage]:
    files: dict[Path, FileMap] = {}
    storages: dict[int, torch.UntypedStorage] = {}

    def storage_of(stored: StoredTensor) -> torch.UntypedStorage:
        data = stored.storage
        if id(data) not in storages:
            if data.file.path not in files:
                files[data.file.path] = FileMap(data.file)
            storages[id(data)] = move(files[data.file.path].storage(data), data.location)
        return storages[id(data)]

    return storage_of


class FileMap:
    """A file mapped copy-on-write: writing to its tensors does not change the file."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._whole = cast(
            "torch.UntypedStorage",
            torch.UntypedStorage.from_file(str(file.path), False, file.size),
        )

    def storage(self, data: StoredBytes) -> torch.UntypedStorage:
        """Return a storage that views the map, or a copy if byte order or alignment require it."""
        stop = data.start + data.length
        if not 0 <= data.start <= stop <= self._file.size:
            raise damaged(self._file, "a tensor extends past its end")
        if data.swapped or data.start % data.item_size:
            return read_storage(data)
        return cast("torch.UntypedStorage", self._whole[data.start : stop])


def torch_value(kind: str, argument: Any) -> Any:
    """Return the torch dtype, device or size that a pickle refers to."""
    if kind == "dtype":
        return getattr(torch, argument, argument)
    return torch.device(*argument) if kind == "device" else torch.Size(argument)
