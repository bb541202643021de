"""Loading into models that several processes hold together (FSDP2, DTensor). Needs torch."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from brickwork_zoo._formats._lazy_tensor import Box, Unread
from brickwork_zoo.errors import CheckpointError

from ._module_tree import Slot

T = TypeVar("T")

Fill: TypeAlias = Callable[[Tensor], None]
"""Writes this rank's part of a tensor into the tensor that holds the part."""


def load_sharded(places: Sequence[Slot], copies: Mapping[int, Tensor], *, broadcast: bool) -> None:
    """Give each rank its parts of whole tensors, one tensor after the other.

    Where a part has memory it is written in place.

    Args:
        places: Of the model, the same on every rank.
        copies: ``id`` of the tensor in the model -> the whole tensor to load into it; with
            ``broadcast`` only rank 0's count, and other ranks' may be on the meta device.
        broadcast: Whether rank 0 sends them, instead of every rank taking its parts out of a file
            that all see.
    """
    targets = {id(slot.tensor): slot.tensor for slot in places if id(slot.tensor) in copies}
    way = _Mail(copies.values()).receive if broadcast else _cut_out
    # Damaged files raise here, before anything is written.
    fills = {key: way(copies[key], target) for key, target in targets.items()}
    with torch.no_grad():
        filled = {key: _filled(target, fills[key]) for key, target in targets.items()}
    for slot in places:
        if slot.tensor.is_meta and (key := id(slot.tensor)) in filled:
            filled[key] = slot.put(filled[key])  # the same parameter wherever it is shared


def _filled(target: Tensor, fill: Fill) -> Tensor:
    """``target`` with its new values; a new tensor where it had no memory."""
    if not isinstance(target, DTensor):
        part = torch.empty_like(target, device=_meeting_place()) if target.is_meta else target
        fill(part)
        return part
    part, mesh = target.to_local(), target.device_mesh
    if part.is_meta:
        part = torch.empty_like(part, device=mesh.device_type)
    fill(part)
    if not target.is_meta:
        return target
    shape, stride = target.shape, target.stride()
    return DTensor.from_local(
        part, mesh, target.placements, run_check=False, shape=shape, stride=stride
    )


def _cut_out(source: Tensor, target: Tensor) -> Fill:
    """Fill from a tensor that this rank has, or has in a file."""
    box = _box(target)
    if box is None or isinstance(source, DTensor):
        return lambda part: _copy(part, _odd_part(_read(source), target))
    if isinstance(source, Unread):
        return source.find(box)
    inside = tuple(slice(start, start + length) for start, length in zip(*box, strict=True))
    return lambda part: _copy(part, source.detach()[inside])


class _Mail:
    """Fills from what rank 0 has, for which all ranks meet.

    Every rank takes its part out of the whole. A rank that is sent only its part would save no
    time, as rank 0 has to send as much, and would leave holes in its memory: the buffer into which
    all tensors come is made once.

    Args:
        sources: The tensors to come.
    """

    def __init__(self, sources: Iterable[Tensor]) -> None:
        self._place = _meeting_place()
        most = 0 if dist.get_rank() == 0 else max((one.nbytes for one in sources), default=0)
        self._buffer = torch.empty(most, dtype=torch.uint8, device=self._place)

    def receive(self, source: Tensor, target: Tensor) -> Fill:
        """Fill from rank 0's ``source``; of the others' only dtype and shape count."""
        if isinstance(source, DTensor):
            return _cut_out(source, target)  # no rank has it alone

        def fill(part: Tensor) -> None:
            if dist.get_rank() == 0:
                whole = _read(source).to(self._place).contiguous()
            else:
                whole = self._buffer[: source.nbytes].view(source.dtype).view(source.shape)
            # As bytes: backends do not know every dtype.
            dist.broadcast(whole.view(-1).view(torch.uint8), src=0)
            _cut_out(whole, target)(part)

        return fill


def _meeting_place() -> torch.device | str | None:
    """A kind of device whose memory the ranks can send."""
    return "cpu" if "cpu" in dist.get_backend_config() else torch.accelerator.current_accelerator()


def _copy(part: Tensor, values: Tensor) -> None:
    part.copy_(values)


def _read(source: Tensor) -> Tensor:
    if isinstance(source, DTensor):
        return source.full_tensor()  # for which all ranks meet
    return source.whole() if isinstance(source, Unread) else source.detach()


def _odd_part(whole: Tensor, target: Tensor) -> Tensor:
    """What this rank holds of a whole tensor, where that is not in one piece."""
    if not isinstance(target, DTensor):
        return whole
    mesh, placements = target.device_mesh, target.placements
    return distribute_tensor(whole, mesh, placements, src_data_rank=None).to_local()


def _box(target: Tensor) -> Box | None:
    """Where this rank's part lies in the whole; None where it is not in one piece."""
    if not isinstance(target, DTensor):
        return [0] * target.ndim, target.shape
    mesh = target.device_mesh
    for placement in target.placements:  # FSDP2 over tensor parallelism takes strides
        dim = getattr(placement, "dim", 0)
        if hasattr(placement, "split_factor") and target.shape[dim] % mesh.size():
            return None
    if mesh.get_coordinate() is None:
        return None
    (chunk,) = _chunks(target)
    return chunk.offsets, chunk.sizes


_chunks = cast("Callable[[DTensor], list[Any]]", DTensor.__create_chunk_list__)  # torch: no types


def on_rank_0(action: Callable[[], T]) -> T:
    """Do something on rank 0; what that raises is raised on every rank.

    Args:
        action: Called on rank 0, or where there is no process group.

    Returns:
        What it returned; on other ranks with tensors on the meta device, which hold no values.
    """
    if not dist.is_initialized():
        return action()
    result: Any = None
    box = [b""]
    if dist.get_rank() == 0:
        try:
            result = action()
            box = [_shapes((result, None))]
        except Exception as error:
            box = [_shapes((None, _sendable(error)))]
    dist.broadcast_object_list(box, src=0)
    shapes, failure = pickle.loads(box[0])
    if failure is not None:
        raise failure
    return cast("T", result if dist.get_rank() == 0 else shapes)


def _shapes(content: Any) -> bytes:
    """Pickle something without the values of its tensors."""
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


def _sendable(error: Exception) -> Exception:
    """The error, or, where it cannot be sent, one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return CheckpointError(f"rank 0: {type(error).__name__}: {error}")
    return error
