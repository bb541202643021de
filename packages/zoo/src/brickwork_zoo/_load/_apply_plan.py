"""Writing the tensors of a plan into a model. Needs torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from brickwork_zoo._formats._lazy_tensor import LazyTensor
from brickwork_zoo.errors import CheckpointError

from ._module_tree import Slot

Reuse: TypeAlias = Literal["never", "without memory", "always"]
"""Which tensors of the checkpoint become tensors of the model (converted to its dtype) instead of
being copied: ``"never"``: none; ``"without memory"``: those for tensors on the meta device;
``"always"``: all."""


def apply_plan(slots: Iterable[Slot], copies: Mapping[int, Tensor], reuse: Reuse) -> None:
    """Load tensors into the slots of a model; lazy tensors are read in file order.

    Tensors on the meta device are replaced. Shared tensors stay shared.

    Args:
        slots: The slots of the model.
        copies: ``id`` of a tensor in the model -> the tensor to load into it.
        reuse: Which tensors of the checkpoint to use without a copy.

    Raises:
        CheckpointError: If a file is damaged or cannot be read; the message says if the model is
            partly loaded.
    """
    slots = tuple(slots)
    targets = {id(slot.tensor): slot.tensor for slot in slots if id(slot.tensor) in copies}
    for source in copies.values():
        if isinstance(source, LazyTensor):
            source.slice()  # a damaged file raises here, before anything is written
    replaced: dict[int, Tensor] = {}
    used: set[int] = set()  # addresses of checkpoint tensors that the model uses
    written = 0
    try:
        with torch.no_grad():
            for key in sorted(targets, key=lambda key: file_position(copies[key])):
                target, source = targets[key], copies[key]
                if reuse == "always" or target.is_meta:
                    replaced[key] = _new_tensor(source, target, reuse, used)
                    continue
                written += 1
                if isinstance(source, LazyTensor):
                    source.slice()(target)
                    torch.autograd.graph.increment_version(target)
                else:
                    target.copy_(source)
    except CheckpointError as error:
        if not written:
            raise
        raise partly_loaded(error) from error
    for slot in slots:
        key = id(slot.tensor)
        if key in replaced:
            replaced[key] = slot.put(replaced[key])


def partly_loaded(error: CheckpointError) -> CheckpointError:
    """Return the error with a note that the model is partly loaded."""
    return CheckpointError(
        f"{error}; the model is partly loaded: load it again before you use it",
        uri=error.uri,
        path=error.path,
    )


def file_position(tensor: Tensor) -> tuple[str, int]:
    """Return file and byte offset of a lazy tensor, as a key to sort by."""
    return tensor.source.position if isinstance(tensor, LazyTensor) else ("", 0)


def _new_tensor(source: Tensor, target: Tensor, reuse: Reuse, used: set[int]) -> Tensor:
    """Return a tensor with the values of ``source`` and the dtype of ``target``.

    It is on the device of ``target``, or of ``source`` if ``target`` is on the meta device.
    """
    if isinstance(source, LazyTensor):
        device = source.device_when_read() if target.is_meta else target.device
        tensor = torch.empty_like(target, device=device)
        source.slice()(tensor)
        return tensor
    source = source.detach()
    tensor = source.to(dtype=target.dtype) if target.is_meta else source.to(target)
    if tensor is source and (reuse == "never" or tensor.data_ptr() in used):
        return tensor.clone()
    used.add(tensor.data_ptr())
    return tensor
