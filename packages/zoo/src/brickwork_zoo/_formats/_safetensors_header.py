"""The header of a safetensors file: position, dtype and shape of each tensor, and metadata.

Works without torch. The format: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from brickwork_zoo.errors import CheckpointError

from ._data_file import DataFile
from ._dtypes import ITEM_SIZES, MAX_DIMENSIONS, PACKED, SAFETENSORS_NAMES
from ._file_window import open_stream
from ._stored_tensor import StoredBytes, StoredTensor, contiguous_stride

MAX_HEADER = 100 * 2**20  # bytes; the limit of the format's own library

_TORCH_NAMES = {short: name for name, short in SAFETENSORS_NAMES.items()}


def read_header(file: DataFile) -> tuple[dict[str, StoredTensor], dict[str, str]]:
    """Read and check the header of a safetensors file."""
    try:
        with open_stream(file) as stream:
            length = int.from_bytes(stream.read(8), "little")
            if length > min(MAX_HEADER, file.size - 8):
                raise ValueError(f"its length is {length} bytes in a file of {file.size} bytes")
            header = json.loads(stream.read(length).decode("utf-8"), object_pairs_hook=_unique)
        if not isinstance(header, dict):
            raise ValueError("it is not a JSON object")
        metadata = _metadata(header.pop("__metadata__", None))
        tensors = {key: _tensor(file, key, row, 8 + length) for key, row in header.items()}
        end = 8 + length
        for key, tensor in sorted(tensors.items(), key=lambda item: item[1].storage.start):
            if tensor.storage.start < end:
                raise ValueError(f"{key!r} overlaps another tensor")
            end = tensor.storage.start + tensor.storage.length
    except (ValueError, OSError, RecursionError) as error:
        raise CheckpointError(
            f"{file.path} has an invalid safetensors header: {error}", path=file.path
        ) from error
    return tensors, metadata


def _tensor(file: DataFile, key: str, row: Any, data_start: int) -> StoredTensor:
    if not isinstance(row, dict):
        raise ValueError(f"the entry {key!r} must be a JSON object, got {type(row).__name__}")
    dtype = _TORCH_NAMES.get(str(row.get("dtype")))
    shape, offsets = row.get("shape"), row.get("data_offsets")
    if dtype is None:
        raise ValueError(
            f"the dtype of {key!r} must be one of {', '.join(_TORCH_NAMES)}, "
            f"got {row.get('dtype')!r}"
        )
    if not (_are_naturals(shape) and _are_naturals(offsets) and len(offsets) == 2):
        raise ValueError(f"{key!r} has invalid shape {shape!r} or data_offsets {offsets!r}")
    if len(shape) > MAX_DIMENSIONS or any(number > 2**63 for number in (*shape, *offsets)):
        raise ValueError(f"{key!r} has too many dimensions, or numbers above 2**63")
    if dtype in PACKED:
        if not shape or shape[-1] % PACKED[dtype]:
            raise ValueError(f"{key!r} has shape {shape!r}, which does not fill whole bytes")
        shape = [*shape[:-1], shape[-1] // PACKED[dtype]]
    item = ITEM_SIZES[dtype]
    start, stop = data_start + offsets[0], data_start + offsets[1]
    needed = item * math.prod(shape)
    if stop - start != needed or stop > file.size:
        raise ValueError(
            f"{key!r} needs {needed} bytes, got {stop - start} that end at byte {stop} of "
            f"{file.size}"
        )
    data = StoredBytes(file, start, needed, item_size=item)
    return StoredTensor(data, dtype, tuple(shape), 0, contiguous_stride(tuple(shape)))


def _are_naturals(value: Any) -> TypeGuard[list[int]]:
    return isinstance(value, list) and all(type(v) is int and v >= 0 for v in value)


def _metadata(value: Any) -> dict[str, str]:
    return {k: v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("it has a duplicate key")
    return table


def encode_header(
    tensors: Mapping[str, tuple[str, tuple[int, ...]]], metadata: Mapping[str, str]
) -> bytes:
    """Return the header for tensors (key -> dtype and shape) that are written in this order.

    Tensors with the largest elements must come first, so that all tensors are aligned.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    start = 0
    for key, (dtype, shape) in tensors.items():
        stop = start + ITEM_SIZES[dtype] * math.prod(shape)
        if dtype in PACKED:
            shape = (*shape[:-1], shape[-1] * PACKED[dtype])
        header[key] = {
            "dtype": SAFETENSORS_NAMES[dtype],
            "shape": list(shape),
            "data_offsets": [start, stop],
        }
        start = stop
    text = json.dumps(header, separators=(",", ":")).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
