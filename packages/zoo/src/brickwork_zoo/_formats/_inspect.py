"""What is in a checkpoint, without running anything of it, and without torch."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brickwork_zoo.errors import CheckpointError

from ._dtypes import ITEM_SIZES, MAX_DIMENSIONS
from ._file_kind import kind_of
from ._safe_pickle._opaque_object import Inert
from ._safe_pickle._unpickler import Machine
from ._safetensors import read_safetensors
from ._shard_index import index_in, read_index
from ._tensor_description import Described, Describer
from ._torch_legacy import read_legacy
from ._torch_pickle import Reading, names_for
from ._torch_zip import read_zip


@dataclass(frozen=True)
class TensorInfo:
    """A tensor in a checkpoint.

    Attributes:
        key: Where it is; the keys of nested dicts are joined by ``/``.
        shape: Its shape.
        dtype: torch's name of its type.
        nbytes: What its elements take.
    """

    key: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int


@dataclass(frozen=True)
class Inspection:
    """What is in a checkpoint.

    Attributes:
        path: The file or folder.
        format: ``"zip"``, ``"legacy"``, ``"safetensors"``, ``"index"`` or ``"dcp"``.
        tensors: Its tensors.
        other: What else it holds: key -> its type, or its value where that is short.
        globals: The Python names that it mentions.
        unsafe: Those of them that are not on the reviewed list.
    """

    path: Path
    format: str
    tensors: tuple[TensorInfo, ...]
    other: Mapping[str, str]
    globals: tuple[str, ...] = ()
    unsafe: tuple[str, ...] = ()

    @property
    def nbytes(self) -> int:
        """What all tensors take."""
        return sum(tensor.nbytes for tensor in self.tensors)


def inspect(path: str | os.PathLike[str]) -> Inspection:
    """Look into a checkpoint.

    Args:
        path: A local file or folder.

    Returns:
        What it holds.

    Raises:
        CheckpointError: It is broken, or no checkpoint.
    """
    place = Path(path).expanduser()
    if not place.exists():
        raise CheckpointError(f"there is no file {place}", path=place)
    kind = kind_of(place)
    if kind == "folder":
        return inspect(index_in(place))
    if kind == "safetensors":
        tensors = [_info(k, e.dtype, e.shape) for k, e in read_safetensors(place).items()]
        return Inspection(place, kind, tuple(tensors), {})
    if kind == "index":
        return _inspect_shards(place)
    if kind == "dcp":
        return _inspect_dcp(place)
    reading = Reading(read_zip(place) if kind == "zip" else read_legacy(place), Describer())
    tensors, other = _split(reading.content)
    return Inspection(
        place,
        kind,
        tuple(tensors),
        other,
        tuple(sorted({*reading.known, *reading.unknown})),
        tuple(sorted(reading.unknown)),
    )


def _inspect_shards(path: Path) -> Inspection:
    shards = [path.parent / name for name in sorted(read_index(path))]
    if nested := [shard for shard in shards if shard.is_file() and kind_of(shard) == "index"]:
        raise CheckpointError(f"{path} names {nested[0].name!r}, an index itself", path=path)
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
    machine = Machine(names_for(Describer()))
    try:
        with (path / ".metadata").open("rb") as file:
            entries = machine.load(file).state["state_dict_metadata"]
        tensors = [
            _info(key, one.state["properties"].state[0], one.state["size"])
            for key, one in entries.items()
            if "size" in (one.state or {})
        ]
    except Exception as error:  # garbled descriptions fail in any way
        raise CheckpointError(f"{path}/.metadata is damaged: {error}", path=path) from error
    known = {tensor.key for tensor in tensors}
    other = {key: "bytes" for key in entries if key not in known}
    strange = [n for n in machine.unknown if not n.startswith("torch.distributed.checkpoint.")]
    return Inspection(
        path,
        "dcp",
        tuple(tensors),
        other,
        tuple(sorted({*machine.known, *machine.unknown})),
        tuple(sorted(name for name in strange if name != "torch.serialization._get_layout")),
    )


def _info(key: str, dtype: str, shape: Any) -> TensorInfo:
    plain = all(type(length) is int and 0 <= length < 2**63 for length in shape)
    if not plain or len(shape) > MAX_DIMENSIONS or type(dtype) is not str:
        raise ValueError(f"{key!r} has an odd shape or dtype")
    return TensorInfo(key, tuple(shape), dtype, math.prod(shape) * ITEM_SIZES.get(dtype, 1))


def _split(content: Any) -> tuple[list[TensorInfo], dict[str, str]]:
    """The tensors in nested dicts and lists, and everything else by the place where it is."""
    tensors: list[TensorInfo] = []
    other: dict[str, str] = {}
    waiting: list[tuple[str, Any, int]] = [("", content, 0)]
    seen: set[int] = set()
    while waiting:
        key, value, depth = waiting.pop()
        if isinstance(value, Described):
            tensors.append(_info(key, value.dtype, value.shape))
        elif (
            isinstance(value, dict | list | tuple) and value and depth < 8 and id(value) not in seen
        ):
            seen.add(id(value))
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            inner = [(f"{key}/{name}".lstrip("/"), one, depth + 1) for name, one in pairs]
            waiting += reversed(inner)
        else:
            other[key] = _shown(value)
    return tensors, other


def _shown(value: Any) -> str:
    if (value is None or isinstance(value, str | int | float)) and len(str(value)) <= 60:
        return repr(value)
    return repr(value) if isinstance(value, Inert) else type(value).__name__
