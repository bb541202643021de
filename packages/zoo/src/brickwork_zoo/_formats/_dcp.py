"""Reader of folders of ``torch.distributed.checkpoint``: lazy, and without running code.

Needs torch.
"""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations, starmap
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import Tensor
from torch.distributed.checkpoint import metadata as md
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.planner import ReadItem
from torch.distributed.checkpoint.planner_helpers import create_read_items_for_chunk_list

from brickwork_zoo.errors import CheckpointError

from ._data_file import DataFile
from ._file_tensors import make_tensors, tensor_on, torch_value
from ._header_values import META, VERSIONS, decode_value
from ._lazy_tensor import LazyTensor, Read
from ._map_location import MapLocation, MoveStorage, storage_mover
from ._read_tensor import Box, read_tensor
from ._safe_pickle._opaque_object import BrokenPickleError, PickledGlobal
from ._safe_pickle._unpickler import SafeUnpickler
from ._stored_tensor import StoredTensor
from ._torch_layout import TorchLayout
from ._torch_pickle import TorchPickle, torch_globals
from ._torch_zip import read_zip


def read_dcp(path: Path, map_location: MapLocation) -> dict[str, Any]:
    """Open a folder, with a lazy tensor for each of its tensors.

    Other entries are omitted if loading them would run code.

    Returns:
        The checkpoint, with the nesting that was saved.
    """
    move = storage_mover(map_location)
    try:
        folder = _Folder(path)
        nested: dict[str, Any] = {}
        for key, entry in folder.tensors.items():
            source = _FolderSource(folder, key, move)
            tensor = LazyTensor(source, entry.size, entry.properties.dtype)
            _set(nested, folder.names.get(key, (key,)), tensor)
        for key in folder.others:
            for value in folder.read_other(key):
                _set(nested, folder.names.get(key, (key,)), value)
        _restore_values(nested)
    except CheckpointError:
        raise
    except Exception as error:  # damaged metadata raises many types
        raise CheckpointError(
            f"{path} is damaged: {error}; copy or save it again", path=path
        ) from error
    return nested


def _set(nested: dict[Any, Any], keys: Sequence[Any], value: Any) -> None:
    for key in keys[:-1]:
        nested = nested.setdefault(key, {})
    nested[keys[-1]] = value


def _restore_values(nested: dict[str, Any]) -> None:
    """Decode the text entries that :func:`save_folder` writes."""
    if META in nested:
        nested["meta"] = decode_value(nested.pop(META), torch_value)
    if VERSIONS in nested:
        state_dict = OrderedDict(nested["state_dict"])
        state_dict._metadata = decode_value(nested.pop(VERSIONS), torch_value)  # type: ignore[attr-defined]  # as torch does
        nested["state_dict"] = state_dict


class _Folder:
    """A folder whose ``.metadata`` has been checked against its files.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        metadata = _read_metadata(path)
        self.names = metadata.planner_data or {}
        self.tensors = {
            key: entry
            for key, entry in metadata.state_dict_metadata.items()
            if isinstance(entry, md.TensorStorageMetadata)
        }
        self.others = metadata.state_dict_metadata.keys() - self.tensors
        self._chunks: dict[md.MetadataIndex, StoredTensor] = {}
        names = {info.relative_path for info in metadata.storage_data.values()}
        self._files = {name: DataFile(path / _inside(name)) for name in sorted(names)}
        self._infos = {
            (index.fqn, tuple(index.offset or ())): info
            for index, info in metadata.storage_data.items()
            if 0 <= info.offset <= info.offset + info.length <= self._files[info.relative_path].size
        }
        for key, entry in self.tensors.items():
            self._check(key, entry)

    def _check(self, key: str, entry: md.TensorStorageMetadata) -> None:
        """Check that the parts of a tensor exist and cover the whole tensor."""
        count = 0
        for chunk in entry.chunks:
            for start, length, whole in zip(chunk.offsets, chunk.sizes, entry.size, strict=True):
                if not 0 <= start <= start + length <= whole:
                    raise ValueError(f"a part of {key!r} extends past the tensor")
            if (key, tuple(chunk.offsets)) not in self._infos:
                raise ValueError(f"a part of {key!r} is missing, or its file is truncated")
            count += math.prod(chunk.sizes)
        if count != math.prod(entry.size):
            raise ValueError(
                f"the parts of {key!r} have {count} elements, expected {math.prod(entry.size)}"
            )

    def _damaged(self, problem: str) -> CheckpointError:
        return CheckpointError(
            f"{self.path} is damaged: {problem}; copy or save it again", path=self.path
        )

    def slice(self, key: str, box: Box) -> Read:
        """Check that a part of a tensor can be read, and return a function that reads it."""
        entry = self.tensors[key]
        wanted = md.ChunkStorageMetadata(*map(torch.Size, box))
        items = create_read_items_for_chunk_list(key, entry, [wanted])
        count = sum(math.prod(item.lengths) for item in items)
        if count != math.prod(wanted.sizes) or any(starmap(_overlap, combinations(items, 2))):
            raise self._damaged(f"the parts of {key!r} overlap")
        parts = [(item, self._chunk(item)) for item in items]

        def read(target: Tensor) -> None:
            for item, stored in parts:
                part = _narrow(target, item.dest_offsets, item.lengths)
                read_tensor(stored, (item.storage_offsets, item.lengths), part)

        return read

    def read_other(self, key: str) -> Iterator[Any]:
        """Yield the value of an entry that is not a tensor; nothing if it would run code."""
        pickled = TorchPickle(self._archive(self._infos[key, ()]), torch_value)
        if not pickled.unknown:
            yield make_tensors(pickled.content, "cpu", "read")

    def _archive(self, info: _StorageInfo) -> TorchLayout:
        file = self._files[info.relative_path]
        if getattr(info, "transform_descriptors", None):
            raise CheckpointError(
                f"{file.path} is compressed: save it without compression", path=file.path
            )
        return read_zip(file, info.offset, info.length)

    def _chunk(self, item: ReadItem) -> StoredTensor:
        index = item.storage_index
        if index not in self._chunks:
            layout = self._archive(self._infos[index.fqn, tuple(index.offset or ())])
            stored = TorchPickle(layout).content
            entry = self.tensors[index.fqn]
            dtype = str(entry.properties.dtype).removeprefix("torch.")
            shape = tuple(entry.chunks[index.index or 0].sizes)
            if not isinstance(stored, StoredTensor) or (stored.dtype, stored.shape) != (
                dtype,
                shape,
            ):
                raise self._damaged(
                    f"dtype or shape of {index.fqn!r} differ in {layout.file.path} and .metadata"
                )
            self._chunks[index] = stored
        return self._chunks[index]


class _FolderSource:
    """Source of a lazy tensor whose parts are in several files of a folder."""

    def __init__(self, folder: _Folder, key: str, move: MoveStorage) -> None:
        self._folder, self._key, self._move = folder, key, move
        self.position = str(folder.path), 0

    def slice(self, box: Box) -> Read:
        """Check that a part can be read, and return a function that reads it."""
        return self._folder.slice(self._key, box)

    def to_device(self, tensor: Tensor) -> Tensor:
        """Move the complete tensor to the device that ``map_location`` selects."""
        storage = self._move(tensor.untyped_storage(), "cpu")
        return tensor_on(storage, tensor.dtype, 0, tuple(tensor.shape), tensor.stride())


def _narrow(tensor: Tensor, offsets: Sequence[int], lengths: Sequence[int]) -> Tensor:
    return tensor[tuple(slice(o, o + n) for o, n in zip(offsets, lengths, strict=True))]


def _overlap(item: ReadItem, other: ReadItem) -> bool:
    sides = zip(item.dest_offsets, item.lengths, other.dest_offsets, other.lengths, strict=True)
    return all(a < b + m and b < a + n for a, n, b, m in sides)


def _inside(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f".metadata lists {name!r}, which is outside the folder")
    return name


def _read_metadata(folder: Path) -> md.Metadata:
    """Read ``.metadata``, a pickle, without running code."""
    unpickler = SafeUnpickler({**torch_globals(torch_value), **_GLOBALS}, set_state=_SET_STATE)
    try:
        with (folder / ".metadata").open("rb") as file:
            metadata = unpickler.load(file)
    except (OSError, BrokenPickleError) as error:
        raise CheckpointError(f"cannot read {folder}/.metadata: {error}", path=folder) from error
    if unpickler.unknown or not isinstance(metadata, md.Metadata):
        names = ", ".join(unpickler.unknown) or f"a {type(metadata).__name__}"
        raise CheckpointError(
            f"{folder} is not a distributed checkpoint: .metadata contains {names}",
            path=folder,
        )
    return metadata


def _new(kind: Any, *args: Any) -> Any:
    if args:
        raise TypeError(f"a {kind.__name__} has constructor arguments")
    return kind.__new__(kind)


def _set_record_state(record: Any, state: Any) -> None:
    names = {field.name for field in dataclasses.fields(record)}
    if not isinstance(state, dict) or not state.keys() <= names:
        raise TypeError(f"a {type(record).__name__} has an invalid state")
    sizes = [state[name] for name in ("offset", "offsets", "size", "sizes") if name in state]
    if not all(isinstance(size, torch.Size | int | None) for size in sizes):
        raise TypeError(f"a {type(record).__name__} has an invalid size")
    vars(record).update(state)


def _set_properties_state(record: md.TensorProperties, state: Any) -> None:
    dtype, *_ = state  # the other properties (layout, memory format, ...) are not used
    if not isinstance(dtype, torch.dtype):
        raise TypeError("a tensor has no dtype")
    vars(record).update(vars(md.TensorProperties(dtype=dtype)))


_RECORDS = (
    md.BytesStorageMetadata,
    md.ChunkStorageMetadata,
    md.Metadata,
    md.MetadataIndex,
    md.StorageMeta,
    md.TensorStorageMetadata,
    _StorageInfo,
)
_SET_STATE: dict[type, Callable[[Any, Any], None]] = {
    **dict.fromkeys(_RECORDS, _set_record_state),
    md.TensorProperties: _set_properties_state,
}
_GLOBALS: dict[str, PickledGlobal] = {
    f"{kind.__module__}.{kind.__qualname__}": PickledGlobal(kind.__qualname__, partial(_new, kind))
    for kind in _SET_STATE
}
_GLOBALS |= {
    name: PickledGlobal(name, lambda *_: None)  # layout and memory format, which are not used
    for name in (
        "torch.serialization._get_layout",
        "torch.distributed.checkpoint.metadata._MEM_FORMAT_ENCODING",
    )
}
