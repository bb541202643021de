"""Fills of tensors that several processes hold together (DTensor, FSDP2)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor

_PLAIN = (nn.Parameter, Tensor)


def is_sharded(tensor: Tensor) -> TypeGuard[DTensor]:
    """Whether a tensor is a DTensor, without importing what defines them (a third of a second)."""
    if type(tensor) in _PLAIN:
        return False
    tensors = sys.modules.get("torch.distributed.tensor")
    return tensors is not None and isinstance(tensor, tensors.DTensor)


def local_tensor(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this process holds."""
    return tensor.to_local() if is_sharded(tensor) else tensor


def fill_sharded(tensor: DTensor, fill: Callable[[Tensor], object]) -> None:
    """Give each process its shard of the values that a single process would draw.

    Every process fills the whole tensor, in ordinary memory, from a generator in the same state,
    and keeps its shard: one whole tensor at a time is the peak, and nothing is sent. So the
    random numbers drawn, and their order, are those of a single process.

    Args:
        tensor: What to fill, on any mesh with any placements.
        fill: Fills an ordinary tensor in place.
    """
    from torch.distributed.tensor import distribute_tensor  # loaded already, by whoever made it

    local = tensor.to_local()
    if local.is_meta:
        return
    whole = torch.empty(tensor.shape, dtype=tensor.dtype, device=local.device)
    fill(whole)
    shard = distribute_tensor(whole, tensor.device_mesh, tensor.placements, src_data_rank=None)
    with torch.no_grad():
        local.copy_(shard.to_local())


def fill_tensor(tensor: Tensor, fill: Callable[[Tensor], object]) -> None:
    """Fill a tensor, whether one process holds it or several do."""
    if type(tensor) in _PLAIN or not is_sharded(tensor):
        fill(tensor)
    else:
        fill_sharded(tensor, fill)
