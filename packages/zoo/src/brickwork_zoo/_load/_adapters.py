"""Adapters: functions that make tensors of a checkpoint fit another model. Needs torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._module_tree import own_tensors, walk

Adapter: TypeAlias = Callable[[str, Tensor, Tensor], Tensor | None]
"""Takes a name, the checkpoint's tensor and the model's tensor of that name.

Returns the tensor to load, in the model's shape, or None to load the checkpoint's tensor unchanged.
"""


def bind_adapter(adapter: Adapter, model: nn.Module) -> Adapter:
    """Return the adapter for a model: calls the adapter's ``bind(model)`` if it has this method."""
    bind: Callable[[nn.Module], Adapter] | None = getattr(adapter, "bind", None)
    return adapter if bind is None else bind(model)


def adapt_position_embedding(name: str, source: Tensor, target: Tensor) -> Tensor | None:
    """Resample a position embedding to another grid, bicubically.

    Applies to tensors of shape (1, tokens, channels) whose own name contains ``pos_embed`` or
    ``position_embedding``. The tokens are up to two class tokens, then a square grid of patches.
    Model and checkpoint must have the same number of class tokens, or the model none; then those
    of the checkpoint are dropped. See "An Image is Worth 16x16 Words", section 3.2
    (https://arxiv.org/abs/2010.11929).

    Args:
        name: Name of the tensor in the model.
        source: The checkpoint's tensor.
        target: The model's tensor.

    Returns:
        A tensor of the model's shape, or None for any other tensor.
    """
    own_name = name.rpartition(".")[2]
    fits = source.ndim == target.ndim == 3 and source.shape[::2] == target.shape[::2]
    if not fits or not any(word in own_name for word in ("pos_embed", "position_embedding")):
        return None
    if source.shape == target.shape:
        return None
    for tokens, kept in ((0, 0), (1, 1), (2, 2), (1, 0), (2, 0)):
        old, new = _side(source.shape[1] - tokens), _side(target.shape[1] - kept)
        if old and new:
            break
    else:
        return None
    class_tokens, grid = source[:, :kept], source[:, tokens:]
    image = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2).float()
    image = F.interpolate(image, size=(new, new), mode="bicubic", align_corners=False)
    resized = image.permute(0, 2, 3, 1).reshape(1, new * new, -1).to(source.dtype)
    return torch.cat([class_tokens, resized], dim=1)


def _side(count: int) -> int:
    """Return the square root of a number of patches, or 0 if it is not a square number."""
    side = math.isqrt(max(0, count))
    return side if side**2 == count else 0


class InputChannelsAdapter:
    """Adapter that changes the number of input channels of the first convolution.

    The checkpoint's channels are repeated in order and scaled by old / new, which keeps the scale
    of the output; a single new channel gets their sum. Other convolutions do not change.
    """

    def bind(self, model: nn.Module) -> Adapter:
        """Return an adapter for the first convolution of a model."""
        first = _first_convolution(model)
        return lambda name, source, target: self(name, source, target) if name == first else None

    def __call__(self, name: str, source: Tensor, target: Tensor) -> Tensor | None:
        """Change the input channels of a weight.

        Args:
            name: Name of the tensor in the model.
            source: The checkpoint's tensor, of shape (out, in, ...).
            target: The model's tensor.

        Returns:
            A tensor of the model's shape, or None if not only the input channels differ.
        """
        old, new = source.shape, target.shape
        same_filters = len(old) == len(new) >= 3 and (old[0], *old[2:]) == (new[0], *new[2:])
        if not same_filters or old == new or not old[1]:
            return None
        if new[1] == 1:
            return source.sum(dim=1, keepdim=True)
        repeats = -(-new[1] // old[1])
        tiled = source.repeat(1, repeats, *[1] * (source.ndim - 2))[:, : new[1]]
        return tiled * (old[1] / new[1])


adapt_input_channels: Adapter = InputChannelsAdapter()
"""Adapter for images with another number of channels, see :class:`InputChannelsAdapter`."""


def _first_convolution(model: nn.Module) -> str | None:
    """Return the name of the weight of the first convolution, unless it has groups."""
    for prefix, module in walk(model):
        tensors = dict(own_tensors(module))
        weight = tensors.get("weight")
        if weight is not None and weight.ndim >= 3 and hasattr(module, "in_channels"):
            return f"{prefix}weight" if getattr(module, "groups", 1) == 1 else None
    return None


def adapt_classes(names: Sequence[str], rows: Sequence[int]) -> Adapter:
    """Return an adapter that selects rows of a classifier.

    Args:
        names: Names of the classifier's tensors in the model, ``["fc.weight", "fc.bias"]``.
        rows: For each class of the model its row in the checkpoint; -1 for a class that the
            checkpoint does not have, which keeps the model's own values.

    Returns:
        The adapter.

    Raises:
        ValueError: If a row is below -1.
    """
    index = torch.tensor(list(rows), dtype=torch.long)
    if (index < -1).any():
        raise ValueError(f"rows must be -1 or larger, got {int(index.min())}")

    def adapt(name: str, source: Tensor, target: Tensor) -> Tensor | None:
        if name not in names or target.shape != (len(index), *source.shape[1:]):
            return None
        if int(index.max()) >= source.shape[0]:
            raise ValueError(
                f"rows must be below {source.shape[0]}, the number of rows of {name} in the "
                f"checkpoint, got {int(index.max())}"
            )
        selected = source[index.clamp(min=0)]
        if not (index < 0).any():
            return selected
        own = (index < 0).reshape(-1, *[1] * (source.ndim - 1)).to(selected.device)
        return torch.where(own, _values(name, target).to(selected), selected)

    return adapt


def _values(name: str, target: Tensor) -> Tensor:
    if target.is_meta:
        raise ValueError(
            f"row -1 of {name} keeps the model's own values, which load_model has not initialized: "
            "build and initialize the model, then call load_checkpoint"
        )
    full = getattr(target, "full_tensor", target.detach)  # a DTensor is gathered on all ranks
    return cast("Tensor", full()).detach()
