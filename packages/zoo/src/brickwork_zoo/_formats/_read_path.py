"""From a local file or folder to a checkpoint, whatever its format. Needs torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from brickwork_zoo.errors import CheckpointError, UnsafeCheckpointError

from ._file_kind import kind_of
from ._file_tensors import MapLocation, load_safetensors, read_pickled
from ._shard_index import index_in, read_index
from ._torch_layout import Pickled
from ._torch_legacy import read_legacy
from ._torch_zip import read_zip

Fetch = Callable[[str], Path]


def read_path(
    path: Path,
    map_location: MapLocation = "cpu",
    *,
    weights_only: bool = True,
    sibling: Fetch | None = None,
) -> Any:
    """Read a checkpoint.

    Args:
        path: A file, an index of shards, or a folder.
        map_location: Where its tensors go.
        weights_only: False runs whatever code the file holds.
        sibling: Gets a shard by its file name; else it lies beside the index.

    Returns:
        What the file holds; for formats that hold only tensors a state dict. Of a folder of
        ``torch.distributed.checkpoint`` the tensors are read when they are used.

    Raises:
        CheckpointError: It is broken, or no checkpoint.
        UnsafeCheckpointError: It would run code.
    """
    kind = kind_of(path)
    if kind == "folder":
        path = index_in(path)
        return read_path(path, map_location, weights_only=weights_only)
    if kind == "dcp":
        from ._dcp import read_dcp  # costs the import of torch.distributed.checkpoint

        return read_dcp(path, map_location)
    if kind == "safetensors":
        return load_safetensors(path, map_location)
    if kind == "index":
        return _read_shards(path, map_location, weights_only, sibling)
    if not weights_only:
        return _run(path, map_location, mapped=kind == "zip", weights_only=False)
    return _read_safely(read_zip(path) if kind == "zip" else read_legacy(path), map_location)


def _read_safely(layout: Pickled, map_location: MapLocation) -> Any:
    reading = read_pickled(layout, map_location)
    if not reading.unknown:
        return reading.content
    refused = _unknown_to_torch(layout.path, reading.unknown)
    if not refused:  # quantised, sparse, DTensor, ..., or what the caller has allowed torch
        return _run(layout.path, map_location, mapped=layout.kind == "zip", weights_only=True)
    raise UnsafeCheckpointError(
        f"{layout.path} needs {_listed(refused)}, which is not on the reviewed list of what "
        "loads as data; nothing of it has been run. If you trust the file as you would a program: "
        "pass weights_only=False, or make a file of only weights of it with "
        f"`brickwork-zoo convert --trust` on a machine that may run it, or allow these names "
        "with torch.serialization.add_safe_globals",
        path=layout.path,
        globals=refused,
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(name[:200] for name in names[:20]) + more


def _unknown_to_torch(path: Path, names: list[str]) -> list[str]:
    try:
        refused = set(torch.serialization.get_unsafe_globals_in_checkpoint(path))
    except Exception:  # torch reads fewer instructions and formats; then it is no help
        return names
    allowed = not refused
    return [] if allowed else names


def _run(path: Path, map_location: MapLocation, *, mapped: bool, weights_only: bool) -> Any:
    try:
        place: Any = map_location  # torch's hints say less than it takes
        return torch.load(path, map_location=place, mmap=mapped, weights_only=weights_only)
    except Exception as error:  # anything may come out of a foreign file
        raise CheckpointError(f"{path} cannot be loaded: {error}", path=path) from error


def _read_shards(
    path: Path, map_location: MapLocation, weights_only: bool, sibling: Fetch | None
) -> dict[str, Any]:
    fetch = sibling or (lambda name: path.parent / name)
    merged: dict[str, Any] = {}
    for name, keys in sorted(read_index(path).items()):
        shard = fetch(name)
        if not shard.is_file():
            raise CheckpointError(f"{path} names {name!r}, which is not beside it", path=path)
        if kind_of(shard) == "index":
            raise CheckpointError(f"{path} names {name!r}, which is an index itself", path=path)
        content = read_path(shard, map_location, weights_only=weights_only)
        absent = [key for key in keys if not isinstance(content, dict) or key not in content]
        if absent:
            raise CheckpointError(f"{shard} does not hold {absent[:5]}, as {path} says", path=path)
        merged |= {key: content[key] for key in keys}
    return merged
