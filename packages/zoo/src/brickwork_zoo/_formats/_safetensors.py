"""The safetensors format: where each tensor lies, found out and checked without torch.

The format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from brickwork_zoo.errors import CheckpointError

from ._dtypes import ITEM_SIZES, MAX_DIMENSIONS

MAX_HEADER = 100 * 2**20  # bytes of a safetensors header, the limit of the format's own library

SAFETENSORS_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "U16": "uint16",
    "I32": "int32",
    "U32": "uint32",
    "I64": "int64",
    "U64": "uint64",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
}


@dataclass(frozen=True)
class Entry:
    """A tensor of a safetensors file.

    Attributes:
        dtype: torch's name of it.
        shape: Its shape.
        start: First byte in the file.
        stop: The byte after its last.
    """

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def read_safetensors(path: Path) -> dict[str, Entry]:
    """Read and check the header of a safetensors file.

    Args:
        path: The file.

    Returns:
        Key -> where its tensor lies, in the order of the file.

    Raises:
        CheckpointError: The header is no JSON, contradicts itself, or reaches past the file's end.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = path.stat().st_size
            if length > min(MAX_HEADER, size - 8):
                raise ValueError(f"a header of {length} bytes in a file of {size}")
            header = json.loads(file.read(length).decode("utf-8"), object_pairs_hook=_no_twice)
        if not isinstance(header, dict):
            raise ValueError("the header is no JSON object")
        header.pop("__metadata__", None)
        entries = {key: _entry(key, value, 8 + length, size) for key, value in header.items()}
        end = 8 + length
        for key, entry in sorted(entries.items(), key=lambda item: item[1].start):
            if entry.start < end:
                raise ValueError(f"{key!r} lies over another tensor")
            end = entry.stop
    except (ValueError, OSError, RecursionError) as error:
        raise CheckpointError(f"{path} has a bad safetensors header: {error}", path=path) from error
    return entries


def _entry(key: str, value: Any, data: int, size: int) -> Entry:
    if not isinstance(value, dict):
        raise ValueError(f"{key!r} is not described by an object")
    dtype = SAFETENSORS_DTYPES.get(str(value.get("dtype")))
    shape, offsets = value.get("shape"), value.get("data_offsets")
    if dtype is None:
        raise ValueError(f"{key!r} has the unknown dtype {value.get('dtype')!r}")
    if not (_naturals(shape) and _naturals(offsets) and len(offsets) == 2):
        raise ValueError(f"{key!r} has shape {shape!r} and data_offsets {offsets!r}")
    if len(shape) > MAX_DIMENSIONS or any(number > 2**63 for number in (*shape, *offsets)):
        raise ValueError(f"{key!r} has a shape or data_offsets out of reach")
    needed = ITEM_SIZES[dtype] * math.prod(shape)
    start, stop = data + offsets[0], data + offsets[1]
    if stop - start != needed or stop > size:
        raise ValueError(f"{key!r} needs {needed} bytes, has {stop - start} up to byte {stop}")
    return Entry(dtype, tuple(shape), start, stop)


def _naturals(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(v) is int and v >= 0 for v in value)


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a key is there twice")
    return table
