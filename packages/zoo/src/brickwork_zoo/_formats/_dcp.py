"""Folders of ``torch.distributed.checkpoint``, read part by part and as data. Needs torch."""

from __future__ import annotations

import dataclasses
import math
import sys
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

from ._dtypes import ITEM_SIZES
from ._file_tensors import FileMap, MapLocation, TorchValues, placement, read_pickled, tensor_on
from ._lazy_tensor import Box, Unread
from ._safe_pickle._opaque_object import BrokenPickleError, Name
from ._safe_pickle._unpickler import Machine
from ._tensor_description import Described, Describer
from ._torch_layout import Pickled
from ._torch_pickle import Reading, names_for
from ._torch_zip import read_zip


def read_dcp(path: Path, map_location: MapLocation) -> dict[str, Any]:
    """Look into a folder; each tensor is read when it is used.

    What it holds besides tensors is left out where it would need code to run.

    Args:
        path: The folder.
        map_location: Where tensors go that are read whole.

    Returns:
        A checkpoint of :class:`Unread` tensors: nested where the one that was saved was.

    Raises:
        CheckpointError: It is damaged, or no such folder.
    """
    place = placement(map_location)

    def bring(tensor: Tensor) -> Tensor:
        storage = place(tensor.untyped_storage(), "cpu")
        return tensor_on(storage, tensor.dtype, 0, tuple(tensor.shape), tensor.stride())

    try:
        folder = _Folder(path)
        nested: dict[str, Any] = {}
        for key, entry in folder.tensors.items():
            tensor = Unread(partial(folder.find, key), entry.size, entry.properties.dtype, bring)
            _set(nested, folder.names.get(key, (key,)), tensor)
        for key in folder.others:
            for value in folder.read_other(key):
                _set(nested, folder.names.get(key, (key,)), value)
    except CheckpointError:
        raise
    except Exception as error:  # garbled descriptions fail in any way
        raise CheckpointError(f"{path} is damaged: {error}", path=path) from error
    return nested


def _set(nested: dict[Any, Any], place: Sequence[Any], value: Any) -> None:
    for part in place[:-1]:
        nested = nested.setdefault(part, {})
    nested[place[-1]] = value


class _Folder:
    """A folder whose description has been checked against its files.

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
        self._chunks: dict[md.MetadataIndex, Tensor] = {}
        self._maps: dict[Path, FileMap] = {}
        files = {info.relative_path for info in metadata.storage_data.values()}
        sizes = {name: (path / _inside(name)).stat().st_size for name in files}
        self._places = {
            (index.fqn, tuple(index.offset or ())): info
            for index, info in metadata.storage_data.items()
            if 0 <= info.offset <= info.offset + info.length <= sizes[info.relative_path]
        }
        for key, entry in self.tensors.items():
            self._check(key, entry)

    def _check(self, key: str, entry: md.TensorStorageMetadata) -> None:
        """Whether the parts of a tensor are there and make up the whole."""
        count = 0
        for chunk in entry.chunks:
            for start, length, whole in zip(chunk.offsets, chunk.sizes, entry.size, strict=True):
                if not 0 <= start <= start + length <= whole:
                    raise ValueError(f"a part of {key!r} reaches out of it")
            if (key, tuple(chunk.offsets)) not in self._places:
                raise ValueError(f"a part of {key!r} is in no file, or its file is cut off")
            count += math.prod(chunk.sizes)
        if count != math.prod(entry.size):
            raise ValueError(f"the parts of {key!r} have {count} elements")

    def _damaged(self, error: object) -> CheckpointError:
        return CheckpointError(f"{self.path} is damaged: {error}", path=self.path)

    def find(self, key: str, box: Box) -> Callable[[Tensor], None]:
        """Find a part of a tensor; see :data:`Find`."""
        entry = self.tensors[key]
        wanted = md.ChunkStorageMetadata(*map(torch.Size, box))
        reads = create_read_items_for_chunk_list(key, entry, [wanted])
        count = sum(math.prod(read.lengths) for read in reads)
        if count != math.prod(wanted.sizes) or any(starmap(_overlap, combinations(reads, 2))):
            raise self._damaged(f"the parts of {key!r} overlap")
        chunks = [self._chunk(read) for read in reads]

        def fill(target: Tensor) -> None:
            for read, chunk in zip(reads, chunks, strict=True):
                part = _narrow(target, read.dest_offsets, read.lengths)
                raw = _narrow(chunk, read.storage_offsets, read.lengths)
                _copy_bytes(part, raw, entry.properties.dtype)

        return fill

    def read_other(self, key: str) -> Iterator[Any]:
        """Read what is no tensor; nothing where that would need code to run."""
        reading = read_pickled(self._archive(self._places[key, ()]), "cpu")
        if not reading.unknown:
            yield reading.content

    def _archive(self, info: _StorageInfo) -> Pickled:
        path = self.path / info.relative_path
        if getattr(info, "transform_descriptors", None):
            raise CheckpointError(f"{path} is compressed; save it without", path=path)
        return read_zip(path, info.offset, info.length)

    def _chunk(self, read: ReadItem) -> Tensor:
        """The bytes of a chunk, mapped: a tensor with one dimension more, for those of a number.

        They may lie anywhere, and tensors of other dtypes may not.
        """
        index = read.storage_index
        if index in self._chunks:
            return self._chunks[index]
        layout = self._archive(self._places[index.fqn, tuple(index.offset or ())])
        entry, path = self.tensors[index.fqn], layout.path
        found = Reading(layout, Describer()).content
        kind = str(entry.properties.dtype).removeprefix("torch.")
        sizes = tuple(entry.chunks[index.index or 0].sizes)
        if not isinstance(found, Described) or (found.dtype, found.shape) != (kind, sizes):
            raise self._damaged(f"{path} holds something else for {index.fqn!r}")
        if layout.big_endian != (sys.byteorder == "big"):
            raise CheckpointError(f"{path} comes from a machine of another byte order", path=path)
        if path not in self._maps:
            self._maps[path] = FileMap(path)
        item = ITEM_SIZES[kind]
        storage = self._maps[path].storage(*layout.records[found.storage], 1)
        strides = (*(step * item for step in found.stride), 1)
        place = found.offset * item
        self._chunks[index] = tensor_on(storage, torch.uint8, place, (*sizes, item), strides)
        return self._chunks[index]


def _copy_bytes(part: Tensor, raw: Tensor, dtype: torch.dtype) -> None:
    """Write numbers of ``dtype``, given as bytes, into a tensor of any dtype."""
    with torch.no_grad():
        target = part if part.dtype == dtype else torch.empty(part.shape, dtype=dtype)
        target.unsqueeze(-1).view(torch.uint8).copy_(raw)
        if target is not part:
            part.copy_(target)


def _narrow(tensor: Tensor, offsets: Sequence[int], lengths: Sequence[int]) -> Tensor:
    return tensor[tuple(slice(o, o + n) for o, n in zip(offsets, lengths, strict=True))]


def _overlap(one: ReadItem, other: ReadItem) -> bool:
    sides = zip(one.dest_offsets, one.lengths, other.dest_offsets, other.lengths, strict=True)
    return all(a < b + m and b < a + n for a, n, b, m in sides)


def _inside(name: str) -> str:
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise ValueError(f".metadata names {name!r}, outside of the folder")
    return name


def _read_metadata(folder: Path) -> md.Metadata:
    """Read ``.metadata``, a pickle, as data."""
    machine = Machine({**names_for(TorchValues()), **_NAMES}, fill=_FILL)
    try:
        with (folder / ".metadata").open("rb") as file:
            found = machine.load(file)
    except (OSError, BrokenPickleError) as error:
        raise CheckpointError(f"{folder}/.metadata cannot be read: {error}", path=folder) from error
    if machine.unknown or not isinstance(found, md.Metadata):
        asked = ", ".join(machine.unknown) or type(found).__name__
        raise CheckpointError(
            f"{folder}/.metadata asks for {asked}, which no checkpoint needs", path=folder
        )
    return found


def _new(kind: Any, *args: Any) -> Any:
    if args:
        raise TypeError(f"{kind.__name__} with arguments")
    return kind.__new__(kind)


def _fill(record: Any, state: Any) -> None:
    names = {one.name for one in dataclasses.fields(record)}
    if not isinstance(state, dict) or not state.keys() <= names:
        raise TypeError(f"a {type(record).__name__} of odd state")
    sizes = [state[name] for name in ("offset", "offsets", "size", "sizes") if name in state]
    if not all(isinstance(size, torch.Size | int | None) for size in sizes):
        raise TypeError(f"a {type(record).__name__} of odd size")
    vars(record).update(state)


def _fill_properties(record: md.TensorProperties, state: Any) -> None:
    dtype, *_ = state  # the rest describes memory that is not used here
    if not isinstance(dtype, torch.dtype):
        raise TypeError("a tensor without a dtype")
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
_FILL: dict[type, Callable[[Any, Any], None]] = {
    **dict.fromkeys(_RECORDS, _fill),
    md.TensorProperties: _fill_properties,
}
_NAMES: dict[str, Name] = {
    f"{kind.__module__}.{kind.__qualname__}": Name(kind.__qualname__, partial(_new, kind))
    for kind in _FILL
}
_NAMES |= {
    full: Name(full, lambda *_: None)  # the memory's layout and order, which are not used
    for full in (
        "torch.serialization._get_layout",
        "torch.distributed.checkpoint.metadata._MEM_FORMAT_ENCODING",
    )
}
