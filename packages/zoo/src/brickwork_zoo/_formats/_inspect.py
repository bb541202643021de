"""`inspect`: lists the contents of a checkpoint without running its code. Works without torch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brickwork_zoo.errors import CheckpointError

from ._data_file import DataFile
from ._dtypes import ITEM_SIZES, MAX_DIMENSIONS
from ._file_kind import kind_of
from ._safe_pickle._opaque_object import OpaqueObject
from ._safe_pickle._unpickler import SafeUnpickler
from ._safetensors import read_safetensors
from ._shard_index import checkpoint_in, read_index
from ._stored_tensor import StoredTensor
from ._torch_legacy import read_legacy
from ._torch_pickle import TorchPickle, plain_value, torch_globals
from ._torch_zip import read_zip


@dataclass(frozen=True)
class TensorInfo:
    """A tensor in a checkpoint.

    Attributes:
        key: Key of the tensor; the keys of nested dicts are joined by ``/``.
        shape: Shape of the tensor.
        dtype: Name of the dtype in torch, such as ``"float32"``.
        nbytes: Size of all elements in bytes.
    """

    key: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int


@dataclass(frozen=True)
class Inspection:
    """The contents of a checkpoint.

    Attributes:
        path: The file or folder.
        format: ``"zip"``, ``"legacy"``, ``"safetensors"``, ``"index"`` or ``"dcp"``.
        tensors: All tensors.
        other: Other entries: key -> the value if it is short, otherwise its type.
        globals: Python names that the checkpoint refers to.
        unsafe: The names in `globals` that are not on the allow-list.
    """

    path: Path
    format: str
    tensors: tuple[TensorInfo, ...]
    other: Mapping[str, str]
    globals: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """Total size of the tensors in bytes."""
        return sum(tensor.nbytes for tensor in self.tensors)


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """List the contents of a checkpoint without running its code.

    Args:
        path: A local file or folder.

    Returns:
        The contents.

    Raises:
        CheckpointError: If the file is missing, damaged or not a checkpoint.
    """
    location = Path(path).expanduser()
    if not location.exists():
        raise CheckpointError(f"no such file or folder: {location}", path=location)
    kind = kind_of(location)
    if kind == "folder":
        return inspect(checkpoint_in(location))
    if kind == "safetensors":
        tensors, other = _split(read_safetensors(DataFile(location)))
        return Inspection(location, kind, tuple(tensors), other)
    if kind == "index":
        return _inspect_shards(location)
    if kind == "dcp":
        return _inspect_dcp(location)
    file = DataFile(location)
    pickled = TorchPickle(read_zip(file) if kind == "zip" else read_legacy(file))
    tensors, other = _split(pickled.content)
    return Inspection(
        location,
        kind,
        tuple(tensors),
        other,
        tuple(sorted({*pickled.known, *pickled.unknown})),
        tuple(sorted(pickled.unknown)),
    )


def _inspect_shards(path: Path) -> Inspection:
    shards = [path.parent / name for name in sorted(read_index(path))]
    if nested := [shard for shard in shards if shard.is_file() and kind_of(shard) == "index"]:
        raise CheckpointError(
            f"{path} lists the shard {nested[0].name!r}, which is an index itself", path=path
        )
    parts = [inspect(shard) for shard in shards]
    return Inspection(
        path,
        "index",
        tuple(tensor for part in parts for tensor in part.tensors),
        {key: value for part in parts for key, value in part.other.items()},
        tuple(sorted({name for part in parts for name in part.globals})),
        tuple(sorted({name for part in parts for name in part.unsafe})),
    )


def _inspect_dcp(path: Path) -> Inspection:
    unpickler = SafeUnpickler(torch_globals(plain_value))
    try:
        with (path / ".metadata").open("rb") as file:
            entries = unpickler.load(file).state["state_dict_metadata"]
        tensors = [
            _info(key, entry.state["properties"].state[0], entry.state["size"])
            for key, entry in entries.items()
            if "size" in (entry.state or {})
        ]
    except Exception as error:  # damaged metadata raises many types
        raise CheckpointError(f"{path}/.metadata is damaged: {error}", path=path) from error
    known = {tensor.key for tensor in tensors}
    other = {key: "bytes" for key in entries if key not in known}
    unsafe = [
        name
        for name in unpickler.unknown
        if not name.startswith("torch.distributed.checkpoint.")
        and name != "torch.serialization._get_layout"
    ]
    return Inspection(
        path,
        "dcp",
        tuple(tensors),
        other,
        tuple(sorted({*unpickler.known, *unpickler.unknown})),
        tuple(sorted(unsafe)),
    )


def _info(key: str, dtype: str, shape: Any) -> TensorInfo:
    plain = all(type(length) is int and 0 <= length < 2**63 for length in shape)
    if not plain or len(shape) > MAX_DIMENSIONS or type(dtype) is not str:
        raise ValueError(f"{key!r} has an invalid shape or dtype")
    return TensorInfo(key, tuple(shape), dtype, math.prod(shape) * ITEM_SIZES.get(dtype, 1))


def _split(content: Any) -> tuple[list[TensorInfo], dict[str, str]]:
    """Return the tensors in nested dicts and lists, and the text of all other values by key."""
    tensors: list[TensorInfo] = []
    other: dict[str, str] = {}
    stack: list[tuple[str, Any, int]] = [("", content, 0)]
    seen: set[int] = set()
    while stack:
        key, value, depth = stack.pop()
        if isinstance(value, StoredTensor):
            tensors.append(_info(key, value.dtype, value.shape))
        elif (
            isinstance(value, dict | list | tuple) and value and depth < 8 and id(value) not in seen
        ):
            seen.add(id(value))
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            inner = [(f"{key}/{name}".lstrip("/"), item, depth + 1) for name, item in pairs]
            stack += reversed(inner)
        else:
            other[key] = _text(value)
    return tensors, other


def _text(value: Any) -> str:
    if (value is None or isinstance(value, str | int | float)) and len(str(value)) <= 60:
        return repr(value)
    return repr(value) if isinstance(value, OpaqueObject) else type(value).__name__
