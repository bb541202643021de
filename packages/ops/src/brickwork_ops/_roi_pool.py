"""RoIPool: maxima over the pixels in the bins of boxes.

Girshick, "Fast R-CNN", https://arxiv.org/abs/1504.08083.
"""

import torch
from torch import Tensor, nn

from ._check import pair
from ._roi_align import check_rois
from ._typing import Size2d


def roi_pool(
    input: Tensor,  # noqa: A002  (mmcv's name)
    rois: Tensor,
    output_size: Size2d,
    spatial_scale: float = 1.0,
) -> Tensor:
    """Pool boxes to a fixed size by maxima.

    The edges of a bin are rounded outward; torchvision rounds the box first and differs.

    Args:
        input: Tensor (N, C, H, W).
        rois: Tensor (R, 5) of image index, x1, y1, x2, y2.
        output_size: Bins of a box, as height and width.
        spatial_scale: Pixels of the map per pixel of the image, by which boxes are scaled.

    Returns:
        Tensor (R, C, height, width). A bin outside the map, or of a box without an area, is 0.

    Raises:
        OperatorInputError: If shapes do not fit.
    """
    name = "roi_pool"
    check_rois(name, input, rois)
    size = pair(name, "output_size", output_size)
    if rois.shape[0] == 0:
        return input.new_zeros(0, input.shape[1], *size) + input.sum() * 0
    argmax = roi_pool_argmax(input.detach(), rois.detach(), *size, float(spatial_scale))
    channels, pixels = input.shape[1], input.shape[2] * input.shape[3]
    plane = rois[:, 0].long().view(-1, 1) * channels + torch.arange(channels, device=input.device)
    index = plane.view(-1, channels, 1, 1) * pixels + argmax.clamp(min=0)
    out = input.reshape(-1).gather(0, index.view(-1)).view(index.shape)
    return torch.where(argmax >= 0, out, 0)


class RoIPool(nn.Module):
    """RoIPool as a layer, see `roi_pool`.

    Args:
        output_size: Bins of a box, as height and width.
        spatial_scale: Pixels of the map per pixel of the image.
    """

    def __init__(self, output_size: Size2d, spatial_scale: float = 1.0) -> None:
        super().__init__()
        self.output_size = pair("RoIPool", "output_size", output_size)
        self.spatial_scale = float(spatial_scale)

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:  # noqa: A002  (mmcv's name)
        """Pool.

        Args:
            input: Tensor (N, C, H, W).
            rois: Tensor (R, 5) of image index, x1, y1, x2, y2.

        Returns:
            Tensor (R, C, height, width).
        """
        return roi_pool(input, rois, self.output_size, self.spatial_scale)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"


@torch.library.custom_op("brickwork_ops::roi_pool_argmax", mutates_args=())
def roi_pool_argmax(
    features: Tensor, rois: Tensor, pooled_height: int, pooled_width: int, spatial_scale: float
) -> Tensor:
    """Return the pixel that is the maximum of each bin.

    An operator of its own, as the number of its passes depends on the boxes. A window of any
    size is covered by four windows whose sides are powers of 2; maps of the maxima of those are
    built by doubling, and each bin reads four places of one of them.

    Args:
        features: Tensor (N, C, H, W).
        rois: Tensor (R, 5).
        pooled_height: Bins of a box in height.
        pooled_width: Bins of a box in width.
        spatial_scale: Pixels of the map per pixel of the image.

    Returns:
        Integer tensor (R, C, pooled_height, pooled_width) of y * W + x; -1 for an empty bin.
    """
    _, channels, height, width = features.shape
    y1, y2, x1, x2 = _windows(rois, pooled_height, pooled_width, spatial_scale, height, width)
    image = rois[:, 0].long().view(-1, 1, 1).expand_as(y1)
    rows, columns = y2 - y1, x2 - x1
    argmax = torch.full((*y1.shape, channels), -1, dtype=torch.long, device=features.device)
    level_y, level_x = (_floor_log2(length.clamp(min=1)) for length in (rows, columns))
    occupied = (rows > 0) & (columns > 0)
    if not occupied.any():
        return argmax.permute(0, 3, 1, 2).contiguous()

    values = features.permute(0, 2, 3, 1)
    pixels = torch.arange(height * width, device=features.device).view(1, height, width, 1)
    map_y = values, pixels.expand_as(values)
    for i in range(int(level_y[occupied].max()) + 1):
        if i:
            map_y = _doubled(map_y, 1, 2 ** (i - 1))
        map_yx = map_y
        in_row = occupied & (level_y == i)
        highest = int(level_x[in_row].max()) if in_row.any() else -1
        for j in range(highest + 1):
            if j:
                map_yx = _doubled(map_yx, 2, 2 ** (j - 1))
            chosen = in_row & (level_x == j)
            if chosen.any():
                corners = [
                    (image[chosen], y, x)
                    for y in (y1[chosen], y2[chosen] - 2**i)
                    for x in (x1[chosen], x2[chosen] - 2**j)
                ]
                best = map_yx[0][corners[0]], map_yx[1][corners[0]]
                for corner in corners[1:]:
                    best = _first_maximum(best, (map_yx[0][corner], map_yx[1][corner]))
                argmax[chosen] = best[1]
    return argmax.permute(0, 3, 1, 2).contiguous()


@roi_pool_argmax.register_fake
def _(
    features: Tensor, rois: Tensor, pooled_height: int, pooled_width: int, spatial_scale: float
) -> Tensor:
    return rois.new_empty(
        (rois.shape[0], features.shape[1], pooled_height, pooled_width), dtype=torch.long
    )


def _windows(
    rois: Tensor,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
    height: int,
    width: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the pixels y1, y2, x1, x2 of each bin, (R, pooled_height, pooled_width)."""
    if rois.dtype in (torch.float16, torch.bfloat16):
        rois = rois.float()
    x1, y1 = rois[:, 1] * spatial_scale, rois[:, 2] * spatial_scale
    x2, y2 = (rois[:, 3] + 1) * spatial_scale, (rois[:, 4] + 1) * spatial_scale
    has_area = ((x2 > x1) & (y2 > y1)).view(-1, 1)

    def edges(start: Tensor, end: Tensor, bins: int, length: int) -> tuple[Tensor, Tensor]:
        place = torch.arange(bins + 1, device=rois.device, dtype=rois.dtype)
        edge = place * ((end - start) / bins)[:, None] + start[:, None]
        low = edge[:, :-1].floor().clamp(0, length).long()
        high = edge[:, 1:].ceil().clamp(0, length).long()
        return low, torch.where(has_area, high, low)

    top, bottom = edges(y1, y2, pooled_height, height)
    left, right = edges(x1, x2, pooled_width, width)
    layout = (len(rois), pooled_height, pooled_width)
    return (
        top[:, :, None].expand(layout),
        bottom[:, :, None].expand(layout),
        left[:, None, :].expand(layout),
        right[:, None, :].expand(layout),
    )


def _doubled(maxima: tuple[Tensor, Tensor], dim: int, step: int) -> tuple[Tensor, Tensor]:
    """Return the maxima, and their pixels, of windows twice as long along an axis."""
    length = maxima[0].shape[dim] - step
    first = maxima[0].narrow(dim, 0, length), maxima[1].narrow(dim, 0, length)
    second = maxima[0].narrow(dim, step, length), maxima[1].narrow(dim, step, length)
    return _first_maximum(first, second)


def _first_maximum(
    first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return the larger values and their pixels; of equal ones the pixel that comes first."""
    takes_second = (second[0] > first[0]) | ((second[0] == first[0]) & (second[1] < first[1]))
    return torch.where(takes_second, second[0], first[0]), torch.where(
        takes_second, second[1], first[1]
    )


def _floor_log2(lengths: Tensor) -> Tensor:
    """Return the exponent of the largest power of 2 in each positive integer."""
    return torch.frexp(lengths.to(torch.float32)).exponent - 1
