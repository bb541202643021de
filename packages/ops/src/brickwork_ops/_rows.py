"""Weighted sums of table rows: the gather that most operators here reduce to.

A feature map in channels-last order is a table with one row of channels per pixel. Bilinear
sampling reads four rows with four weights; deformable convolution, deformable attention and RoI
pooling read such samples at computed positions. `torch.nn.functional.embedding_bag` does exactly
that in one pass over contiguous channels, with gradients for the table and for the weights.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ._typing import INDEX


class Taps(NamedTuple):
    """Rows of a table and their weights.

    Attributes:
        indices: Integer tensor (..., T), the rows.
        weights: Tensor (..., T); 0 for a tap outside the table.
    """

    indices: Tensor
    weights: Tensor


def weighted_rows(table: Tensor, taps: Taps) -> Tensor:
    """Sum table rows with weights.

    Args:
        table: Tensor (R, C).
        taps: Rows and weights, each (B, T).

    Returns:
        Tensor (B, C) of the table's type.
    """
    if table.dtype in (torch.float16, torch.bfloat16) and table.device.type != "cuda":
        # The CPU kernels of `embedding_bag` have no backward pass for half precision.
        return weighted_rows(table.float(), taps).to(table.dtype)
    indices, weights = taps
    if indices.shape[0] == 0 or table.shape[0] == 0:
        # `embedding_bag` refuses an empty table; keep both inputs in the graph.
        return table.new_zeros(indices.shape[0], table.shape[1]) + (table.sum() + weights.sum()) * 0
    return F.embedding_bag(indices, table, mode="sum", per_sample_weights=weights.to(table.dtype))


def weighted_bags(table: Tensor, taps: Taps, sizes: Tensor) -> Tensor:
    """Sum table rows with weights in bags of different sizes.

    Args:
        table: Tensor (R, C).
        taps: Rows and weights of all bags, one bag after the other, each (T,).
        sizes: Tensor (B,), the number of taps of each bag.

    Returns:
        Tensor (B, C) of the table's type.
    """
    if table.dtype in (torch.float16, torch.bfloat16) and table.device.type != "cuda":
        return weighted_bags(table.float(), taps, sizes).to(table.dtype)
    offsets = (sizes.cumsum(0) - sizes).to(taps.indices.dtype)
    return F.embedding_bag(
        taps.indices, table, offsets, mode="sum", per_sample_weights=taps.weights.to(table.dtype)
    )


def to_channels_first(out: Tensor, like: Tensor) -> Tensor:
    """Return (N, H, W, C) as (N, C, H, W) in the memory format of another feature map."""
    out = out.permute(0, 3, 1, 2)
    keeps_format = like.is_contiguous(memory_format=torch.channels_last)
    return out if keeps_format and not like.is_contiguous() else out.contiguous()


def channels_last_table(features: Tensor, groups: int = 1) -> Tensor:
    """Lay out a feature map as a table.

    Args:
        features: Tensor (N, C, H, W).
        groups: Number of rows into which the channels of a pixel are split.

    Returns:
        Tensor (N * H * W * groups, C / groups); row ((n * H + y) * W + x) * groups + g.
    """
    n, channels, height, width = features.shape
    # `contiguous` as well: for one image, `reshape` would keep the strides, which sums slowly.
    last = features.permute(0, 2, 3, 1).contiguous()
    return last.view(n * height * width * groups, channels // groups)


def bilinear_taps(
    y: Tensor, x: Tensor, height: int | Tensor, width: int | Tensor, *, offset: int | Tensor = 0
) -> Taps:
    """Return the four pixels around each point of a zero-padded map, and their weights.

    Args:
        y: Row coordinates, 0 at the center of the first pixel.
        x: Column coordinates, of the same shape.
        height: Height of the map, or a tensor of heights that broadcasts with `y`.
        width: Width of the map, or a tensor of widths.
        offset: Row of the table at which the map begins, or a tensor of them.

    Returns:
        Taps of shape (..., 4). A point at or beyond -1 or the size is outside: its weights and
        their gradients are 0, as in mmcv's kernels.
    """
    inside = (y > -1) & (x > -1) & (y < height) & (x < width)
    y, x = torch.where(inside, y, 0), torch.where(inside, x, 0)
    top, left = y.detach().floor(), x.detach().floor()
    to_bottom, to_right = y - top, x - left
    top, left = top.to(INDEX), left.to(INDEX)
    bottom, right = top + 1, left + 1

    weight_top = torch.where(inside & (top >= 0), 1 - to_bottom, 0)
    weight_bottom = torch.where(inside & (bottom < height), to_bottom, 0)
    weight_left = torch.where(left >= 0, 1 - to_right, 0)
    weight_right = torch.where(right < width, to_right, 0)
    weights = torch.stack(
        [
            weight_top * weight_left,
            weight_top * weight_right,
            weight_bottom * weight_left,
            weight_bottom * weight_right,
        ],
        dim=-1,
    )

    # A tap outside has weight 0 and reads the nearest row instead.
    top_start = offset + top.clamp(min=0) * width
    bottom_start = offset + torch.where(bottom < height, bottom, top) * width
    left, right = left.clamp(min=0), torch.where(right < width, right, left)
    indices = torch.stack(
        [top_start + left, top_start + right, bottom_start + left, bottom_start + right], dim=-1
    )
    return Taps(indices.to(INDEX), weights)
