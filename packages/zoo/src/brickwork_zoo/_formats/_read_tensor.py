"""Reading a tensor, or a part of it, from a file into existing memory. Needs torch."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor

from ._data_file import DataFile
from ._dtypes import ITEM_SIZES
from ._stored_tensor import StoredBytes, StoredTensor, contiguous_stride

Box: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""A part of a tensor: its first index and its length, in each dimension."""

BUFFER_BYTES = 2**24
"""Size of the buffer for bytes that cannot be read directly into the target."""

_MIN_RUN = 4096  # bytes; shorter runs are read together with the bytes between them


# torch has no type hints for it
_make_storage = cast("Callable[[int], torch.UntypedStorage]", torch.UntypedStorage)


def memory_of(storage: torch.UntypedStorage) -> memoryview:
    """Return a writable view of the memory of a CPU storage."""
    length = storage.nbytes()
    array = (ctypes.c_ubyte * length).from_address(storage.data_ptr() if length else 0)
    return memoryview(array).cast("B")


def new_storage(length: int) -> torch.UntypedStorage:
    """Return a CPU storage with uninitialized memory."""
    return _make_storage(length)


def swap_bytes(storage: torch.UntypedStorage, item_size: int) -> None:
    """Reverse the bytes of each element."""
    raw = _bytes_on(storage).view(-1, item_size)
    raw.copy_(raw.flip(1))


def _bytes_on(storage: torch.UntypedStorage) -> Tensor:
    return torch.empty(0, dtype=torch.uint8).set_(storage, 0, (storage.nbytes(),), (1,))


def read_storage(data: StoredBytes) -> torch.UntypedStorage:
    """Return a new storage with all bytes, in the byte order of this machine."""
    storage = new_storage(data.length)
    data.file.read_into(memory_of(storage), data.start)
    if data.swapped:
        swap_bytes(storage, data.item_size)
    return storage


def read_tensor(stored: StoredTensor, box: Box, target: Tensor) -> None:
    """Read a part of a tensor into another tensor.

    Only the bytes of this part are read: directly into the target if it is a row-major CPU tensor
    of the same dtype, otherwise through a buffer of at most ``BUFFER_BYTES``.
    """
    if 0 in target.shape:
        return
    order = sorted(range(len(stored.shape)), key=lambda dim: -stored.stride[dim])
    shape = tuple(stored.shape[dim] for dim in order)
    if tuple(stored.stride[dim] for dim in order) != _stride_of(stored, order, shape):
        _read_span(stored, box, target)
        return
    first = [box[0][dim] for dim in order]
    part = target.permute(order)  # row-major in the file
    dtype, item = getattr(torch, stored.dtype), ITEM_SIZES[stored.dtype]
    data = stored.storage
    position = data.start + stored.offset * item
    if part.dtype == dtype and _is_plain(part) and not data.swapped:
        _read_box(data.file, position, shape, first, part)
        return
    for start, length in _pieces(tuple(part.shape), item):
        buffer = torch.empty(length, dtype=dtype)
        index = [a + b for a, b in zip(first, start, strict=True)]
        _read_box(data.file, position, shape, index, buffer)
        if data.swapped:
            swap_bytes(buffer.untyped_storage(), data.item_size)
        inside = tuple(slice(a, a + n) for a, n in zip(start, length, strict=True))
        part[inside].copy_(buffer)


def _stride_of(stored: StoredTensor, order: list[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return row-major strides, but the stored stride for dimensions of length 1."""
    dense = contiguous_stride(shape)
    return tuple(
        stored.stride[dim] if length == 1 else step
        for dim, length, step in zip(order, shape, dense, strict=True)
    )


def _is_plain(tensor: Tensor) -> bool:
    return (
        tensor.device.type == "cpu"
        and tensor.is_contiguous()
        and type(tensor) in (Tensor, torch.nn.Parameter)
        and tensor.layout == torch.strided
        and not (tensor.is_conj() or tensor.is_neg() or tensor.is_quantized)
    )


def _read_box(
    file: DataFile, position: int, shape: Sequence[int], first: Sequence[int], target: Tensor
) -> None:
    """Read a box of a row-major tensor into a row-major tensor of the box's shape."""
    row = math.prod(shape[1:]) * target.element_size()
    if tuple(target.shape[1:]) == tuple(shape[1:]):
        memory = (ctypes.c_ubyte * target.nbytes).from_address(target.data_ptr())
        file.read_into(memoryview(memory).cast("B"), position + sum(first[:1]) * row)
    elif row <= BUFFER_BYTES and _run(shape, target) < _MIN_RUN:
        inside = [slice(a, a + n) for a, n in zip(first[1:], target.shape[1:], strict=True)]
        step = max(1, BUFFER_BYTES // row)
        for start, part in zip(range(0, len(target), step), torch.split(target, step), strict=True):
            rows = torch.empty((len(part), *shape[1:]), dtype=target.dtype)
            file.read_into(memory_of(rows.untyped_storage()), position + (first[0] + start) * row)
            _copy_bits(part, rows[(slice(None), *inside)])
    else:
        for number, part in enumerate(target):
            _read_box(file, position + (first[0] + number) * row, shape[1:], first[1:], part)


def _run(shape: Sequence[int], target: Tensor) -> int:
    """Return the number of consecutive bytes in a box of a row-major tensor."""
    run = target.element_size()
    for length, whole in zip(reversed(target.shape), reversed(shape), strict=True):
        run *= length
        if length < whole:
            break
    return run


def _copy_bits(target: Tensor, source: Tensor) -> None:
    """Copy byte by byte between tensors of the same dtype: torch cannot copy every dtype."""
    target.unsqueeze(-1).view(torch.uint8).copy_(source.unsqueeze(-1).view(torch.uint8))


def _pieces(shape: tuple[int, ...], item: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Yield boxes (first index, lengths) of at most ``BUFFER_BYTES`` that cover a tensor."""
    if math.prod(shape) * item <= BUFFER_BYTES or not shape:
        yield (0,) * len(shape), shape
        return
    row = math.prod(shape[1:]) * item
    if row > BUFFER_BYTES:
        for number in range(shape[0]):
            for start, length in _pieces(shape[1:], item):
                yield (number, *start), (1, *length)
        return
    step = BUFFER_BYTES // row
    rest = (0,) * (len(shape) - 1)
    for number in range(0, shape[0], step):
        yield (number, *rest), (min(step, shape[0] - number), *shape[1:])


def _read_span(stored: StoredTensor, box: Box, target: Tensor) -> None:
    """Read a part with arbitrary strides: all bytes from its first to its last element."""
    item = ITEM_SIZES[stored.dtype]
    begin = stored.offset + sum(a * step for a, step in zip(box[0], stored.stride, strict=True))
    last = sum((n - 1) * step for n, step in zip(box[1], stored.stride, strict=True))
    storage = new_storage((last + 1) * item)
    stored.storage.file.read_into(memory_of(storage), stored.storage.start + begin * item)
    if stored.storage.swapped:
        swap_bytes(storage, stored.storage.item_size)
    dtype = getattr(torch, stored.dtype)
    target.copy_(torch.empty(0, dtype=dtype).set_(storage, 0, tuple(box[1]), stored.stride))
