"""Loading into sharded models (FSDP2, DTensor). Needs torch."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from brickwork_zoo._formats._lazy_tensor import LazyTensor, Read
from brickwork_zoo._formats._read_tensor import Box
from brickwork_zoo.errors import CheckpointError

from ._apply_plan import file_position, partly_loaded
from ._module_tree import Slot

T = TypeVar("T")


def load_sharded(slots: Sequence[Slot], copies: Mapping[int, Tensor], *, broadcast: bool) -> None:
    """Load this rank's shards of full tensors, one tensor after the other.

    Shards on the meta device are replaced; other shards are written in place.
    """
    targets = {id(slot.tensor): slot.tensor for slot in slots if id(slot.tensor) in copies}
    if not broadcast and not any(isinstance(source, DTensor) for source in copies.values()):
        targets = dict(sorted(targets.items(), key=lambda item: file_position(copies[item[0]])))
    shard_of = Rank0Broadcast(copies.values()).shard if broadcast else _shard
    # A damaged file raises here, before anything is written.
    reads = {key: shard_of(copies[key], target) for key, target in targets.items()}
    try:
        with torch.no_grad():
            loaded = {key: _loaded(target, reads[key]) for key, target in targets.items()}
    except CheckpointError as error:
        raise partly_loaded(error) from error
    for slot in slots:
        if slot.tensor.is_meta and (key := id(slot.tensor)) in loaded:
            loaded[key] = slot.put(loaded[key])  # a shared parameter stays shared


def _loaded(target: Tensor, read: Read) -> Tensor:
    """Read new values into ``target``, or into a new tensor if it is on the meta device."""
    if not isinstance(target, DTensor):
        shard = torch.empty_like(target, device=_common_device()) if target.is_meta else target
        read(shard)
        return shard
    shard, mesh = target.to_local(), target.device_mesh
    if shard.is_meta:
        shard = torch.empty_like(shard, device=mesh.device_type)
    read(shard)
    if not target.is_meta:
        return target
    shape, stride = target.shape, target.stride()
    return DTensor.from_local(
        shard, mesh, target.placements, run_check=False, shape=shape, stride=stride
    )


def _shard(source: Tensor, target: Tensor) -> Read:
    """Return a function that reads this rank's shard of a full or lazy tensor."""
    box = _box(target)
    if box is None or isinstance(source, DTensor):
        return lambda shard: _copy(shard, _redistributed(_full(source), target))
    if isinstance(source, LazyTensor):
        return source.slice(box)
    inside = tuple(slice(start, start + length) for start, length in zip(*box, strict=True))
    return lambda shard: _copy(shard, source.detach()[inside])


class Rank0Broadcast:
    """Broadcast of full tensors from rank 0; every rank copies its shards from them.

    All tensors are received in one buffer. Sending each rank only its shard would not be faster,
    because rank 0 sends the same number of bytes, and would fragment the memory of the others.
    """

    def __init__(self, sources: Iterable[Tensor]) -> None:
        self._device = _common_device()
        largest = 0 if dist.get_rank() == 0 else max((s.nbytes for s in sources), default=0)
        self._buffer = torch.empty(largest, dtype=torch.uint8, device=self._device)

    def shard(self, source: Tensor, target: Tensor) -> Read:
        """Return a function that receives this rank's shard of rank 0's ``source``."""
        if isinstance(source, DTensor):
            return _shard(source, target)  # no rank has the full tensor

        def read(shard: Tensor) -> None:
            if dist.get_rank() == 0:
                full = _full(source).to(self._device).contiguous()
            else:
                full = self._buffer[: source.nbytes].view(source.dtype).view(source.shape)
            # As bytes: the backends do not support every dtype.
            dist.broadcast(full.view(-1).view(torch.uint8), src=0)
            _shard(full, target)(shard)

        return read


def _common_device() -> torch.device | str | None:
    """Return a device type that the process group supports."""
    return "cpu" if "cpu" in dist.get_backend_config() else torch.accelerator.current_accelerator()


def _copy(shard: Tensor, values: Tensor) -> None:
    shard.copy_(values)


def _full(source: Tensor) -> Tensor:
    if isinstance(source, DTensor):
        return source.full_tensor()  # a collective operation
    return source.read() if isinstance(source, LazyTensor) else source.detach()


def _redistributed(full: Tensor, target: Tensor) -> Tensor:
    """Return this rank's shard of a full tensor, also if the shard is not one box."""
    if not isinstance(target, DTensor):
        return full
    mesh, placements = target.device_mesh, target.placements
    return distribute_tensor(full, mesh, placements, src_data_rank=None).to_local()


def _box(target: Tensor) -> Box | None:
    """Return the box of this rank's shard in the full tensor; None if it is not one box."""
    if not isinstance(target, DTensor):
        return [0] * target.ndim, target.shape
    mesh = target.device_mesh
    for placement in target.placements:  # FSDP2 over tensor parallelism interleaves shards
        dim = getattr(placement, "dim", 0)
        if hasattr(placement, "split_factor") and target.shape[dim] % mesh.size():
            return None
    if mesh.get_coordinate() is None:
        return None
    (chunk,) = _chunks(target)
    return chunk.offsets, chunk.sizes


_chunks = cast("Callable[[DTensor], list[Any]]", DTensor.__create_chunk_list__)  # no type hints


def on_rank_0(action: Callable[[], T]) -> T:
    """Call a function on rank 0 only, and raise its error on every rank.

    Returns:
        The result; on other ranks than 0 with all tensors on the meta device.
    """
    if not dist.is_initialized():
        return action()
    result: Any = None
    message = [b""]
    if dist.get_rank() == 0:
        try:
            result = action()
            message = [_pickled_shapes((result, None))]
        except Exception as error:
            message = [_pickled_shapes((None, _picklable(error)))]
    dist.broadcast_object_list(message, src=0)
    shapes, failure = pickle.loads(message[0])
    if failure is not None:
        raise failure
    return cast("T", result if dist.get_rank() == 0 else shapes)


def _pickled_shapes(content: Any) -> bytes:
    """Pickle an object without the values of its tensors."""
    buffer = io.BytesIO()
    _ShapePickler(buffer).dump(content)
    return buffer.getvalue()


class _ShapePickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return _without_values, (tuple(value.shape), value.dtype)
        return NotImplemented


def _without_values(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _picklable(error: Exception) -> Exception:
    """Return the error, or a `CheckpointError` with its message if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return CheckpointError(f"rank 0: {type(error).__name__}: {error}")
    return error
