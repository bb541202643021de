"""Sharded models and sharded checkpoints, through ``torch.distributed.checkpoint``. Needs torch."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.checkpoint import metadata as md
from torch.distributed.checkpoint.filesystem import FileSystemReader, _StorageInfo
from torch.distributed.checkpoint.state_dict import StateDictOptions, set_model_state_dict
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.utils._pytree import tree_map_only

from ._apply import carry_out, slots
from ._formats._pickled import names_for
from ._formats._tensors import TorchValues
from ._unpickle import BrokenPickleError, Machine, Name
from .errors import CheckpointError


def is_sharded(module: nn.Module) -> bool:
    """Whether a model holds DTensors, as FSDP2 makes them."""
    return any(isinstance(slot.tensor, DTensor) for slot in slots(module))


def load_sharded(module: nn.Module, tensors: Mapping[str, Tensor], *, broadcast: bool) -> None:
    """Give each rank its shard of whole tensors.

    Args:
        module: The model, on every rank.
        tensors: Name in the model -> the whole tensor; with ``broadcast`` only rank 0's count, and
            other ranks' may be on the meta device.
        broadcast: Whether rank 0 sends them, instead of every rank cutting its part out of a file
            that all have mapped.
    """
    if broadcast:
        given: dict[str, Any] = dict(tensors) if dist.get_rank() == 0 else {}
        options = StateDictOptions(full_state_dict=True, broadcast_from_rank0=True, strict=False)
        set_model_state_dict(module, given, options=options)
        return
    # Not by `set_model_state_dict`: it lets rank 0 read and scatter what every rank has, and keeps
    # all of a rank's shards until the last is there.
    copies: dict[int, Tensor] = {}
    for slot in slots(module):
        source, target = tensors.get(slot.name), slot.tensor
        if source is None or id(target) in copies:
            continue
        if isinstance(target, DTensor):
            source = distribute_tensor(
                source.detach(), target.device_mesh, target.placements, src_data_rank=None
            )
            if not target.is_meta:
                with torch.no_grad():
                    target.to_local().copy_(source.to_local())
                continue
        copies[id(target)] = source
    carry_out(module, copies, assign=False)


def read_on_rank_0(read: Callable[[], Any]) -> Any:
    """Read a checkpoint on rank 0; what that raises is raised on every rank.

    Args:
        read: Called on rank 0.

    Returns:
        The checkpoint; on other ranks with tensors on the meta device, which hold no values.
    """
    checkpoint: Any = None
    box: list[Any] = [None, None]
    if dist.get_rank() == 0:
        try:
            checkpoint = read()
            box[0] = tree_map_only(Tensor, lambda tensor: tensor.to("meta"), checkpoint)
        except Exception as error:
            box[1] = error
    dist.broadcast_object_list(box, src=0)
    if box[1] is not None:
        raise box[1]
    return checkpoint if dist.get_rank() == 0 else box[0]


def read_dcp(path: Path) -> dict[str, Any]:
    """Read the tensors of a ``torch.distributed.checkpoint`` folder.

    What it holds besides tensors is left out: it is pickled, and torch would run it.

    Args:
        path: The folder.

    Returns:
        A checkpoint: nested where the one that was saved was.

    Raises:
        CheckpointError: It is damaged, or no such folder.
    """
    reader = SafeReader(path)
    metadata = reader.read_metadata()
    flat = {
        key: torch.empty(entry.size, dtype=entry.properties.dtype)
        for key, entry in metadata.state_dict_metadata.items()
        if isinstance(entry, md.TensorStorageMetadata)
    }
    fill_from_dcp(flat, reader)
    nested: dict[str, Any] = {}
    for key, tensor in flat.items():
        head, *rest = (metadata.planner_data or {}).get(key, (key,))
        if rest:
            nested.setdefault(str(head), {})[".".join(map(str, rest))] = tensor
        else:
            nested[key] = tensor
    return nested


def fill_from_dcp(tensors: dict[str, Any], reader: SafeReader) -> None:
    """Read tensors from a folder in place, of DTensors only this rank's shards.

    Args:
        tensors: Key in the folder -> what to fill.
        reader: Of the folder.

    Raises:
        CheckpointError: It is damaged.
    """
    try:
        with warnings.catch_warnings():  # of running alone, where that is meant
            warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)
            load(tensors, storage_reader=reader, no_dist=not dist.is_initialized())
    except Exception as error:  # of many kinds; damaged files fail anywhere
        raise CheckpointError(f"{reader.folder} is damaged: {error}", path=reader.folder) from error


class SafeReader(FileSystemReader):
    """Reads such a folder without running what its ``.metadata``, a pickle, may ask for.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.folder = folder

    def read_metadata(self, *args: Any, **kwargs: Any) -> md.Metadata:
        """Read ``.metadata`` as data.

        Returns:
            What it says.

        Raises:
            CheckpointError: It is damaged, asks for other names, or names files elsewhere.
        """
        machine = Machine({**names_for(TorchValues()), **_NAMES}, fill=_FILL)
        try:
            with (self.folder / ".metadata").open("rb") as file:
                found = machine.load(file)
        except (OSError, BrokenPickleError) as error:
            raise CheckpointError(
                f"{self.folder}/.metadata cannot be read: {error}", path=self.folder
            ) from error
        if machine.unknown or not isinstance(found, md.Metadata):
            asked = ", ".join(machine.unknown) or type(found).__name__
            raise CheckpointError(
                f"{self.folder}/.metadata asks for {asked}, which no checkpoint needs",
                path=self.folder,
            )
        for info in (found.storage_data or {}).values():
            place = PurePosixPath(str(info.relative_path))
            if place.is_absolute() or ".." in place.parts:
                raise CheckpointError(
                    f"{self.folder}/.metadata names {place}, outside of the folder",
                    path=self.folder,
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
