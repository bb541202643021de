"""Checkpoints of every format from a local file or folder. Needs torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from brickwork_zoo.errors import CheckpointError, UnsafeCheckpointError

from ._data_file import DataFile
from ._file_kind import kind_of
from ._file_tensors import Access, make_tensors, torch_value
from ._map_location import MapLocation, storage_mover
from ._safetensors import read_safetensors
from ._shard_index import checkpoint_in, read_index
from ._torch_legacy import read_legacy
from ._torch_pickle import TorchPickle
from ._torch_zip import read_zip

GetShard = Callable[[str], Path]


def read_path(
    path: Path,
    map_location: MapLocation = "cpu",
    *,
    weights_only: bool = True,
    access: Access = "read",
    get_shard: GetShard | None = None,
) -> Any:
    """Read a checkpoint from a file, an index of shards, or a folder.

    Legacy files are never mapped, and folders of ``torch.distributed.checkpoint`` are always lazy.
    ``get_shard`` returns the path of a shard by its name; by default it is beside the index.

    Returns:
        The object that was saved; a state dict for formats that store only tensors.
    """
    storage_mover(map_location)  # raises for an invalid map_location before anything is read
    kind = kind_of(path)
    if kind == "folder":
        path = checkpoint_in(path)
        return read_path(path, map_location, weights_only=weights_only, access=access)
    if kind == "dcp":
        from ._dcp import read_dcp  # costs the import of torch.distributed.checkpoint

        return read_dcp(path, map_location)
    if kind == "safetensors":
        content = read_safetensors(DataFile(path), torch_value)
        return make_tensors(content, map_location, access)
    if kind == "index":
        return _read_shards(path, map_location, weights_only, access, get_shard)
    if kind == "legacy" and access == "map":
        access = "read"
    if not weights_only:
        return _read_by_torch(path, map_location, access, weights_only=False)
    return _read_as_data(path, kind, map_location, access)


def _read_as_data(path: Path, kind: str, map_location: MapLocation, access: Access) -> Any:
    file = DataFile(path)
    pickled = TorchPickle(read_zip(file) if kind == "zip" else read_legacy(file), torch_value)
    if not pickled.unknown:
        return make_tensors(pickled.content, map_location, access)
    if _torch_allows(path):  # quantized, sparse, DTensor, ..., or add_safe_globals of the caller
        return _read_by_torch(path, map_location, access, weights_only=True)
    raise UnsafeCheckpointError(
        f"cannot load {path} without running its code: it refers to names that are not on the "
        f"allow-list: {_listed(pickled.unknown)}. No code has been run. If you trust the file as "
        "you would a program: pass weights_only=False, or write its weights to a new file with "
        "`brickwork-zoo convert --trust` on a machine that may run it, or allow these names with "
        "torch.serialization.add_safe_globals",
        path=path,
        globals=pickled.unknown,
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(name[:200] for name in names[:20]) + more


def _torch_allows(path: Path) -> bool:
    """Return whether all names in a file are on torch's own allow-list."""
    try:
        return not torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # torch supports fewer pickle instructions and formats
        return False


def _read_by_torch(
    path: Path, map_location: MapLocation, access: Access, *, weights_only: bool
) -> Any:
    location: Any = map_location  # torch's type hints are narrower than what it accepts
    mapped = access == "map"
    try:
        return torch.load(path, map_location=location, mmap=mapped, weights_only=weights_only)
    except Exception as error:  # code of the file may raise anything
        raise CheckpointError(f"cannot load {path}: {error}", path=path) from error


def _read_shards(
    path: Path,
    map_location: MapLocation,
    weights_only: bool,
    access: Access,
    get_shard: GetShard | None,
) -> dict[str, Any]:
    get_shard = get_shard or (lambda name: path.parent / name)
    merged: dict[str, Any] = OrderedDict()
    versions: dict[str, Any] = {}
    for name, keys in sorted(read_index(path).items()):
        shard = get_shard(name)
        if not shard.is_file():
            raise CheckpointError(
                f"{path} lists the shard {name!r}, which is not in {shard.parent}", path=path
            )
        if kind_of(shard) == "index":
            raise CheckpointError(
                f"{path} lists the shard {name!r}, which is an index itself", path=path
            )
        content = read_path(shard, map_location, weights_only=weights_only, access=access)
        absent = [key for key in keys if not isinstance(content, dict) or key not in content]
        if absent:
            raise CheckpointError(
                f"{path} lists the keys {absent[:5]} in {shard}, which does not have them",
                path=path,
            )
        merged |= {key: content[key] for key in keys}
        versions |= getattr(content, "_metadata", {})
    if versions:
        merged._metadata = versions  # type: ignore[attr-defined]  # as torch does
    return merged
