"""Reading a tensor, or a part of it, from a file into memory that is there already. Needs torch."""

from __future__ import annotations

import ctypes
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, cast

import torch
from torch import Tensor

from ._dtypes import ITEM_SIZES
from ._stored_tensor import StoredBytes, StoredTensor, contiguous_stride

Box: TypeAlias = tuple[Sequence[int], Sequence[int]]
"""A part of a tensor: its first index and its length, in each dimension."""

BUFFER_BYTES = 2**24
"""Size of the buffer for bytes that cannot be read to where they belong."""

_MIN_RUN = 4096  # bytes; shorter pieces are read together with what is between them


# torch leaves it without types
_make_storage = cast("Callable[[int], torch.UntypedStorage]", torch.UntypedStorage)


def memory_of(storage: torch.UntypedStorage) -> memoryview:
    """Return the memory of a storage on the CPU, to read into."""
    length = storage.nbytes()
    array = (ctypes.c_ubyte * length).from_address(storage.data_ptr() if length else 0)
    return memoryview(array).cast("B")


def new_storage(length: int) -> torch.UntypedStorage:
    """Return a storage on the CPU whose memory is not initialized."""
    return _make_storage(length)


def swap_bytes(storage: torch.UntypedStorage, item_size: int) -> None:
    """Reverse the bytes of each element."""
    raw = _bytes_on(storage).view(-1, item_size)
    raw.copy_(raw.flip(1))


def _bytes_on(storage: torch.UntypedStorage) -> Tensor:
    return torch.empty(0, dtype=torch.uint8).set_(storage, 0, (storage.nbytes(),), (1,))


def read_storage(data: StoredBytes) -> torch.UntypedStorage:
    """Read all bytes of a storage into memory of its own."""
    storage = new_storage(data.length)
    data.file.read_into(memory_of(storage), data.start)
    if data.swapped:
        swap_bytes(storage, data.item_size)
    return storage


def read_tensor(stored: StoredTensor, box: Box, target: Tensor) -> None:
    """Read a part of a tensor into another tensor.

    Only the bytes of this part are read, straight into the target where that has the same dtype and
    lies on the CPU in row-major order, otherwise through one buffer of at most ``BUFFER_BYTES``.

    Args:
        stored: The tensor in the file.
        box: The part.
        target: Tensor of the part's shape, of any dtype, layout and device.
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
    dtype = getattr(torch, stored.dtype)
    whole = stored.storage
    if part.dtype == dtype and _is_plain(part) and not whole.swapped:
        _read_runs(stored, shape, first, part)
        return
    for start, length in _pieces(tuple(part.shape), ITEM_SIZES[stored.dtype]):
        buffer = torch.empty(length, dtype=dtype)
        _read_runs(stored, shape, [a + b for a, b in zip(first, start, strict=True)], buffer)
        if whole.swapped:
            swap_bytes(buffer.untyped_storage(), whole.item_size)
        inside = tuple(slice(a, a + n) for a, n in zip(start, length, strict=True))
        part[inside].copy_(buffer)


def _stride_of(stored: StoredTensor, order: list[int], shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return row-major strides, with the tensor's own where a dimension has only one element."""
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


def _read_runs(
    stored: StoredTensor, shape: tuple[int, ...], first: Sequence[int], target: Tensor
) -> None:
    """Read a part of a row-major tensor of this shape, run by run of consecutive bytes."""
    item, lengths = ITEM_SIZES[stored.dtype], tuple(target.shape)
    split = len(shape)  # dimensions from here on are read whole
    while split and lengths[split - 1] == shape[split - 1]:
        split -= 1
    split = max(0, split - 1)  # of this dimension a part in one piece
    run = math.prod(lengths[split:]) * item
    begin = target.data_ptr()
    memory = (ctypes.c_ubyte * target.nbytes).from_address(begin)
    view = memoryview(memory).cast("B")
    if run < _MIN_RUN and split:
        _read_rows(stored, shape, first, target)
        return
    strides = contiguous_stride(shape)
    base = stored.offset + sum(a * step for a, step in zip(first, strides, strict=True))
    done = 0
    for index in itertools.product(*map(range, lengths[:split])):
        element = base + sum(a * step for a, step in zip(index, strides, strict=False))
        stored.storage.file.read_into(
            view[done : done + run], stored.storage.start + element * item
        )
        done += run


def _read_rows(
    stored: StoredTensor, shape: tuple[int, ...], first: Sequence[int], target: Tensor
) -> None:
    """Read a part whose runs are short: whole rows through a buffer."""
    item, rows = ITEM_SIZES[stored.dtype], target.shape[0]
    row_shape = shape[1:]
    row = math.prod(row_shape) * item
    inside = tuple(slice(a, a + n) for a, n in zip(first[1:], target.shape[1:], strict=True))
    step = max(1, BUFFER_BYTES // row)
    for start in range(0, rows, step):
        count = min(step, rows - start)
        buffer = torch.empty((count, *row_shape), dtype=target.dtype)
        position = stored.storage.start + stored.offset * item + (first[0] + start) * row
        stored.storage.file.read_into(memory_of(buffer.untyped_storage()), position)
        _copy_bits(target[start : start + count], buffer[(slice(None), *inside)])


def _copy_bits(target: Tensor, source: Tensor) -> None:
    """Copy between tensors of one dtype, for which torch may have no copying."""
    target.unsqueeze(-1).view(torch.uint8).copy_(source.unsqueeze(-1).view(torch.uint8))


def _pieces(shape: tuple[int, ...], item: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Cut a row-major tensor into pieces of at most ``BUFFER_BYTES``: first index and lengths."""
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
    """Read a tensor with gaps or repeated elements: from its first to its last byte."""
    item = ITEM_SIZES[stored.dtype]
    begin = stored.offset + sum(a * step for a, step in zip(box[0], stored.stride, strict=True))
    last = sum((n - 1) * step for n, step in zip(box[1], stored.stride, strict=True))
    storage = new_storage((last + 1) * item)
    stored.storage.file.read_into(memory_of(storage), stored.storage.start + begin * item)
    if stored.storage.swapped:
        swap_bytes(storage, stored.storage.item_size)
    dtype = getattr(torch, stored.dtype)
    target.copy_(torch.empty(0, dtype=dtype).set_(storage, 0, tuple(box[1]), stored.stride))
