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
from ._map_location import MapLocation, Place, placement
from ._read_tensor import Box, read_storage, read_tensor
from ._stored_tensor import StoredBytes, StoredTensor, replace_leaves

Access: TypeAlias = Literal["read", "map", "lazy"]
"""How the bytes of tensors are had: read into memory of their own; mapped copy-on-write, so that
they are read when they are used and the file must not be written to; or left in the file, as
:class:`LazyTensor`."""


def make_tensors(content: Any, map_location: MapLocation, access: Access) -> Any:
    """Replace the stored tensors of a checkpoint by tensors of torch."""
    place = placement(map_location)
    if access == "lazy":
        return replace_leaves(content, StoredTensor, partial(lazy_tensor, place=place))
    storages = _mapped(content, place) if access == "map" else _read_all(content, place)
    return replace_leaves(content, StoredTensor, lambda stored: _tensor(stored, storages(stored)))


def lazy_tensor(stored: StoredTensor, place: Place) -> LazyTensor:
    """Return a lazy tensor for a tensor in a file."""
    return LazyTensor(_FileSource(stored, place), stored.shape, getattr(torch, stored.dtype))


class _FileSource:
    """The source of a lazy tensor that is stored in one file."""

    def __init__(self, stored: StoredTensor, place: Place) -> None:
        self._stored, self._place = stored, place
        self.position = str(stored.storage.file.path), stored.storage.start

    def slice(self, box: Box) -> Read:
        """Return a function that reads a part; the file was checked when it was opened."""
        return partial(read_tensor, self._stored, box)

    def place(self, tensor: Tensor) -> Tensor:
        """Move a tensor to its device."""
        storage = self._place(tensor.untyped_storage(), self._stored.storage.location)
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
    """Return a tensor on a storage; offset and strides are counted in elements."""
    return torch.empty(0, dtype=dtype, device=storage.device).set_(storage, offset, shape, stride)


def _read_all(content: Any, place: Place) -> Callable[[StoredTensor], torch.UntypedStorage]:
    """Read the storages of all tensors, in the order of the file."""
    needed: dict[int, StoredBytes] = {}

    def collect(stored: StoredTensor) -> StoredTensor:
        needed[id(stored.storage)] = stored.storage
        return stored

    replace_leaves(content, StoredTensor, collect)
    storages = {
        id(data): place(read_storage(data), data.location)
        for data in sorted(needed.values(), key=lambda data: (str(data.file.path), data.start))
    }
    return lambda stored: storages[id(stored.storage)]


def _mapped(content: Any, place: Place) -> Callable[[StoredTensor], torch.UntypedStorage]:
    files: dict[Path, FileMap] = {}
    storages: dict[int, torch.UntypedStorage] = {}

    def storage_of(stored: StoredTensor) -> torch.UntypedStorage:
        data = stored.storage
        if id(data) not in storages:
            if data.file.path not in files:
                files[data.file.path] = FileMap(data.file)
            storages[id(data)] = place(files[data.file.path].storage(data), data.location)
        return storages[id(data)]

    return storage_of


class FileMap:
    """A file mapped copy-on-write: writing to its tensors does not change it."""

    def __init__(self, file: DataFile) -> None:
        self._file = file
        self._whole = cast(
            "torch.UntypedStorage",
            torch.UntypedStorage.from_file(str(file.path), False, file.size),
        )

    def storage(self, data: StoredBytes) -> torch.UntypedStorage:
        """Return the bytes of a storage; a copy if they are unaligned or of another byte order."""
        stop = data.start + data.length
        if not 0 <= data.start <= stop <= self._file.size:
            raise damaged(self._file, "a tensor extends past its end")
        if data.swapped or data.start % data.item_size:
            return read_storage(data)
        return cast("torch.UntypedStorage", self._whole[data.start : stop])


def torch_value(kind: str, argument: Any) -> Any:
    """Return a dtype, device or size of torch."""
    if kind == "dtype":
        return getattr(torch, argument, argument)
    return torch.device(*argument) if kind == "device" else torch.Size(argument)
