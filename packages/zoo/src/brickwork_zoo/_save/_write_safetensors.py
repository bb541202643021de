"""Writing safetensors files. Needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from brickwork_zoo._formats._dtypes import ITEM_SIZES, SAFETENSORS_NAMES
from brickwork_zoo._formats._header_values import EXTRA, META, VERSIONS, encode_value
from brickwork_zoo._formats._read_tensor import BUFFER_BYTES, memory_of
from brickwork_zoo._formats._safetensors_header import MAX_HEADER, encode_header
from brickwork_zoo._load._module_tree import EXTRA_STATE
from brickwork_zoo.errors import InvalidInputError

from ._atomic_write import write_atomically

_MAX_EXPANDED_BYTES = 2**40  # limit for an expanded tensor, which is larger than its storage


def write_safetensors(
    state_dict: Mapping[str, Any],
    target: str,
    *,
    meta: Mapping[str, Any] | None = None,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write a state dict to a safetensors file, one tensor after the other.

    A tensor with several names is written once for each name.
    """
    tensors = {key: value for key, value in state_dict.items() if isinstance(value, Tensor)}
    for key, tensor in tensors.items():
        _check(key, tensor, target)
    metadata = {"format": "pt", **(text or {})}
    metadata |= _metadata(state_dict, meta, target)
    order = sorted(tensors, key=lambda key: -ITEM_SIZES[_dtype(tensors[key])])  # keeps all aligned
    facts = {key: (_dtype(tensors[key]), tuple(tensors[key].shape)) for key in order}
    header = encode_header(facts, metadata)
    if len(header) - 8 > MAX_HEADER:
        raise InvalidInputError(
            f"cannot write {target}: its header would have {len(header)} bytes, and safetensors "
            f"allows {MAX_HEADER}; use .pth"
        )

    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.write(header)
            for key in order:
                for piece in _contiguous_pieces(tensors[key]):
                    file.write(memory_of(piece.untyped_storage()))

    write_atomically(target, make)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _check(key: str, tensor: Tensor, target: str) -> None:
    problem = ""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_nested:
        problem = "it is not a dense tensor"
    elif tensor.is_meta:
        problem = "it is on the meta device and has no values"
    elif _dtype(tensor) not in SAFETENSORS_NAMES:
        problem = f"the dtype {_dtype(tensor)} is not part of the safetensors format"
    elif not tensor.shape and _dtype(tensor) == "float4_e2m1fn_x2":
        problem = "a packed dtype needs a dimension"
    elif tensor.nbytes > max(tensor.untyped_storage().nbytes(), _MAX_EXPANDED_BYTES):
        problem = f"{tensor.nbytes} bytes would have to be written"
    if problem:
        raise InvalidInputError(f"cannot write {target}: tensor {key!r}: {problem}; use .pth")


def _metadata(
    state_dict: Mapping[str, Any], meta: Mapping[str, Any] | None, target: str
) -> dict[str, str]:
    """Return meta, versions and extra states as text, for the header."""
    others = {key: value for key, value in state_dict.items() if not isinstance(value, Tensor)}
    for key in others:
        if key.rpartition(".")[2] != EXTRA_STATE:
            raise InvalidInputError(
                f"cannot write {target}: {key!r} is a {type(others[key]).__name__}, and a "
                "safetensors file holds only tensors; use .pth"
            )
    versions = getattr(state_dict, "_metadata", None)
    values = {META: None if meta is None else dict(meta), EXTRA: others, VERSIONS: versions}
    encoded: dict[str, str] = {}
    for name, value in values.items():
        if value or (name == META and value is not None):
            plain = dict(value) if isinstance(value, Mapping) else value
            try:
                encoded[name] = encode_value(plain)
            except TypeError as error:
                raise InvalidInputError(
                    f"cannot write {target}: {name.rpartition('.')[2]} cannot be stored: {error}"
                ) from error
    return encoded


def _contiguous_pieces(tensor: Tensor) -> Iterator[Tensor]:
    """Yield a tensor in pieces, in order: contiguous CPU tensors of bytes."""
    flat = tensor.detach().resolve_conj().resolve_neg()
    rows = max(1, BUFFER_BYTES // max(1, flat[:1].nbytes)) if flat.ndim else 1
    for part in torch.split(flat, rows) if flat.ndim else [flat]:
        bits = part.unsqueeze(-1).view(torch.uint8)  # torch cannot copy every dtype
        yield torch.empty(bits.shape, dtype=torch.uint8).copy_(bits)
