"""Filling tensors that are sharded over processes (DTensor, FSDP2)."""

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
    """Whether a tensor is a DTensor; does not import torch.distributed.tensor (0.3 s)."""
    if type(tensor) in _PLAIN:
        return False
    tensors = sys.modules.get("torch.distributed.tensor")
    return tensors is not None and isinstance(tensor, tensors.DTensor)


def local_tensor(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this process holds."""
    return tensor.to_local() if is_sharded(tensor) else tensor


def fill_sharded(tensor: DTensor, fill: Callable[[Tensor], object]) -> None:
    """Fill each process's shard with the values that a single process would draw.

    Every process fills a plain tensor of the global shape, from a generator in the same state, and
    keeps its shard. Nothing is sent; the peak is one full tensor.

    Args:
        tensor: Tensor on any mesh with any placements.
        fill: Fills a plain tensor in place.
    """
    from torch.distributed.tensor import distribute_tensor  # imported already

    local = tensor.to_local()
    if local.is_meta:
        return
    full = torch.empty(tensor.shape, dtype=tensor.dtype, device=local.device)
    fill(full)
    shard = distribute_tensor(full, tensor.device_mesh, tensor.placements, src_data_rank=None)
    with torch.no_grad():
        local.copy_(shard.to_local())


def fill_tensor(tensor: Tensor, fill: Callable[[Tensor], object]) -> None:
    """Fill a plain or sharded tensor."""
    if type(tensor) in _PLAIN or not is_sharded(tensor):
        fill(tensor)
    else:
        fill_sharded(tensor, fill)
