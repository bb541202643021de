"""Making tensors of another shape fit: the usual three. Needs torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

Adapter: TypeAlias = Callable[[str, Tensor, Tensor], Tensor | None]
"""Takes a name, the checkpoint's tensor and the model's; gives one of the model's shape or None."""


def adapt_position_embedding(name: str, source: Tensor, target: Tensor) -> Tensor | None:
    """Resample a position embedding to another grid, bicubically.

    For tensors of shape (1, tokens, channels), whose name holds ``pos_embed`` or
    ``position_embedding``: a square grid of patches, behind as many class tokens as it takes to
    make both lengths a square plus their number. See "An Image is Worth 16x16 Words",
    section 3.2 (https://arxiv.org/abs/2010.11929).

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
    for extra in (0, 1, 2):
        old, new = (math.isqrt(t.shape[1] - extra) for t in (source, target))
        if old**2 + extra == source.shape[1] and new**2 + extra == target.shape[1]:
            break
    else:
        return None
    tokens, grid = source[:, :extra], source[:, extra:]
    image = grid.reshape(1, old, old, -1).permute(0, 3, 1, 2).float()
    image = F.interpolate(image, size=(new, new), mode="bicubic", align_corners=False)
    resized = image.permute(0, 2, 3, 1).reshape(1, new * new, -1).to(source.dtype)
    return torch.cat([tokens, resized], dim=1)


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
    if len(old) < 3 or len(old) != len(new) or old[0] != new[0] or old[2:] != new[2:]:
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
    """
    index = torch.tensor(list(rows), dtype=torch.long)

    def adapt(name: str, source: Tensor, target: Tensor) -> Tensor | None:
        fits = source.shape[1:] == target.shape[1:] and target.shape[0] == len(index)
        if name not in names or not fits:
            return None
        if int(index.max()) >= source.shape[0]:
            raise ValueError(f"{name} has {source.shape[0]} classes, no row {int(index.max())}")
        picked = source[index.clamp(min=0)]
        own = (index < 0).reshape(-1, *[1] * (source.ndim - 1))
        return torch.where(own, target.detach().to(picked), picked) if own.any() else picked

    return adapt
