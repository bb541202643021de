"""Making tensors fit that mean something else in the model: the usual three. Needs torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

import torch
import torch.nn.functional as F
from torch import Tensor

Adapter: TypeAlias = Callable[[str, Tensor, Tensor], Tensor | None]
"""Takes a name, the checkpoint's tensor and the model's, for each that both have.

Gives what is to be loaded instead, of the model's shape, or None to leave it to others.
"""


def adapt_position_embedding(name: str, source: Tensor, target: Tensor) -> Tensor | None:
    """Resample a position embedding to another grid, bicubically.

    For tensors of shape (1, tokens, channels), whose name holds ``pos_embed`` or
    ``position_embedding``: a square grid of patches, behind none, one or two class tokens. Both
    have as many of these, or the model has none and the checkpoint's are left out. See "An Image
    is Worth 16x16 Words", section 3.2 (https://arxiv.org/abs/2010.11929).

    Args:
        name: The tensor's name in the model.
        source: The checkpoint's.
        target: The model's.

    Returns:
        A tensor of the model's shape, or None where this is none of its business.
    """
    fits = source.ndim == target.ndim == 3 and source.shape[::2] == target.shape[::2]
    if not fits or not any(word in name for word in ("pos_embed", "position_embedding")):
        return None
    if source.shape == target.shape:
        return None
    for given, kept in ((0, 0), (1, 1), (2, 2), (1, 0), (2, 0)):
        old, new = _side(source.shape[1] - given), _side(target.shape[1] - kept)
        if old and new:
            break
    else:
        return None
    tokens, grid = source[:, :kept], source[:, given:]
    image = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2).float()
    image = F.interpolate(image, size=(new, new), mode="bicubic", align_corners=False)
    resized = image.permute(0, 2, 3, 1).reshape(1, new * new, -1).to(source.dtype)
    return torch.cat([tokens, resized], dim=1)


def _side(count: int) -> int:
    """The side of a square of so many patches; 0 if they are none."""
    side = math.isqrt(max(0, count))
    return side if side**2 == count else 0


def adapt_input_channels(name: str, source: Tensor, target: Tensor) -> Tensor | None:
    """Give a first convolution other input channels, keeping the size of its answers.

    The checkpoint's channels are repeated in turn and scaled by old / new; for one channel that is
    their sum.

    Args:
        name: The tensor's name in the model.
        source: The checkpoint's, of shape (out, in, ...).
        target: The model's.

    Returns:
        A tensor of the model's shape, or None where this is none of its business.
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


def adapt_classes(names: Sequence[str], rows: Sequence[int]) -> Adapter:
    """Make an adapter that picks rows of a classifier.

    Args:
        names: The names of the classifier's tensors in the model, ``["fc.weight", "fc.bias"]``.
        rows: For each class of the model its row in the checkpoint; -1 for a class that the
            checkpoint does not have, which keeps the model's own values.

    Returns:
        The adapter.

    Raises:
        ValueError: A row is below -1.
    """
    index = torch.tensor(list(rows), dtype=torch.long)
    if (index < -1).any():
        raise ValueError(f"a row is a number from 0, or -1, not {int(index.min())}")

    def adapt(name: str, source: Tensor, target: Tensor) -> Tensor | None:
        if name not in names or target.shape != (len(index), *source.shape[1:]):
            return None
        if int(index.max()) >= source.shape[0]:
            raise ValueError(f"{name} has {source.shape[0]} classes, no row {int(index.max())}")
        picked = source[index.clamp(min=0)]
        if not (index < 0).any():
            return picked
        own = (index < 0).reshape(-1, *[1] * (source.ndim - 1)).to(picked.device)
        return torch.where(own, _values(name, target).to(picked), picked)

    return adapt


def _values(name: str, target: Tensor) -> Tensor:
    if target.is_meta:
        raise ValueError(
            f"row -1 of {name} keeps the model's own values, and it has none yet: build and "
            "initialise the model, then call load_checkpoint"
        )
    whole = getattr(target, "full_tensor", target.detach)  # of a DTensor; all ranks meet
    return cast("Tensor", whole()).detach()
