"""Features at points, for PointRend, https://arxiv.org/abs/1912.08193."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ._check import check, pair, shape
from ._roi_align import check_rois
from ._rows import Taps, bilinear_taps, channels_last_table, weighted_rows
from ._typing import INDEX, Size2d


def point_sample(
    input: Tensor,  # noqa: A002  (mmcv's name)
    points: Tensor,
    align_corners: bool = False,
    **kwargs: Any,
) -> Tensor:
    """Sample a feature map at points.

    Args:
        input: Tensor (N, C, H, W).
        points: Tensor (N, P, 2) or (N, H', W', 2) of x, y; 0 and 1 are the borders of the map.
        align_corners: As in `torch.nn.functional.grid_sample`.
        **kwargs: Further arguments of `torch.nn.functional.grid_sample`.

    Returns:
        Tensor (N, C, P) or (N, C, H', W').

    Raises:
        OperatorInputError: If `points` has another shape.
    """
    check(
        points.dim() in (3, 4) and points.shape[-1] == 2,
        "point_sample",
        f"points must have shape (N, P, 2) or (N, H, W, 2), got {shape(points)}",
    )
    grid = denormalize(points.unsqueeze(2) if points.dim() == 3 else points)
    out = F.grid_sample(input, grid, align_corners=align_corners, **kwargs)
    return out.squeeze(3) if points.dim() == 3 else out


def bilinear_grid_sample(
    im: Tensor,
    grid: Tensor,
    align_corners: bool = False,
) -> Tensor:
    """Sample a feature map on a grid: `torch.nn.functional.grid_sample` by its mmcv name.

    Args:
        im: Tensor (N, C, H, W).
        grid: Tensor (N, H', W', 2) of x, y in [-1, 1].
        align_corners: As in `torch.nn.functional.grid_sample`.

    Returns:
        Tensor (N, C, H', W').
    """
    return F.grid_sample(im, grid, align_corners=align_corners)


def normalize(grid: Tensor) -> Tensor:
    """Map coordinates from [-1, 1] to [0, 1].

    Args:
        grid: Tensor of any shape.
    """
    return (grid + 1.0) / 2.0


def denormalize(grid: Tensor) -> Tensor:
    """Map coordinates from [0, 1] to [-1, 1].

    Args:
        grid: Tensor of any shape.
    """
    return grid * 2.0 - 1.0


def generate_grid(
    num_grid: int, size: tuple[int, int], device: torch.device | str | None = None
) -> Tensor:
    """Return the centers of the cells of a regular grid in the unit square.

    Args:
        num_grid: Number of copies.
        size: Height and width of the grid.
        device: Device of the result.

    Returns:
        Tensor (num_grid, height * width, 2) of x, y.
    """
    height, width = size
    y = (torch.arange(height, device=device, dtype=torch.float32) + 0.5) / height
    x = (torch.arange(width, device=device, dtype=torch.float32) + 0.5) / width
    grid = torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)
    return grid.view(1, -1, 2).expand(num_grid, -1, -1)


@torch.no_grad()
def rel_roi_point_to_abs_img_point(rois: Tensor, rel_roi_points: Tensor) -> Tensor:
    """Map points from boxes to the image.

    Args:
        rois: Tensor (R, 4) of x1, y1, x2, y2, or (R, 5) with the image index in front.
        rel_roi_points: Tensor (R, P, 2) of x, y; 0 and 1 are the borders of the box.

    Returns:
        Tensor (R, P, 2) of x, y in pixels of the image, without a gradient.

    Raises:
        OperatorInputError: If shapes do not match.
    """
    name = "rel_roi_point_to_abs_img_point"
    check(
        rois.dim() == 2 and rois.shape[1] in (4, 5),
        name,
        f"rois must have shape (R, 4) or (R, 5), got {shape(rois)}",
    )
    check(
        rel_roi_points.dim() == 3
        and rel_roi_points.shape[0] == rois.shape[0]
        and rel_roi_points.shape[2] == 2,
        name,
        f"rel_roi_points must have shape ({rois.shape[0]}, P, 2), got {shape(rel_roi_points)}",
    )
    corner, opposite = rois[:, None, -4:-2], rois[:, None, -2:]
    return rel_roi_points * (opposite - corner) + corner


def get_shape_from_feature_map(x: Tensor) -> Tensor:
    """Return the width and height of a feature map.

    Args:
        x: Tensor (N, C, H, W).

    Returns:
        Tensor (1, 1, 2).
    """
    return torch.tensor([[[x.shape[3], x.shape[2]]]], dtype=torch.float32, device=x.device)


def abs_img_point_to_rel_img_point(
    abs_img_points: Tensor, img: tuple[int, int] | Tensor, spatial_scale: float = 1.0
) -> Tensor:
    """Map points from pixels of the image to the unit square of a feature map.

    Args:
        abs_img_points: Tensor (R, P, 2) of x, y in pixels of the image.
        img: Height and width of the map, or the map, (N, C, H, W).
        spatial_scale: Pixels of the map per pixel of the image.

    Returns:
        Tensor (R, P, 2); 0 and 1 are the borders of the map.

    Raises:
        OperatorInputError: If `img` is neither.
    """
    is_map = isinstance(img, Tensor) and img.dim() == 4
    check(
        is_map or (isinstance(img, tuple) and len(img) == 2),
        "abs_img_point_to_rel_img_point",
        "img must be (height, width) or a tensor (N, C, H, W), "
        f"got {shape(img) if isinstance(img, Tensor) else img!r}",
    )
    height, width = img.shape[2:] if isinstance(img, Tensor) else img
    size = torch.tensor([[[width, height]]], dtype=torch.float32, device=abs_img_points.device)
    return abs_img_points / size * spatial_scale


def rel_roi_point_to_rel_img_point(
    rois: Tensor,
    rel_roi_points: Tensor,
    img: tuple[int, int] | Tensor,
    spatial_scale: float = 1.0,
) -> Tensor:
    """Map points from boxes to the unit square of a feature map.

    Args:
        rois: Tensor (R, 4) of x1, y1, x2, y2, or (R, 5) with the image index in front.
        rel_roi_points: Tensor (R, P, 2) of x, y; 0 and 1 are the borders of the box.
        img: Height and width of the map, or the map, (N, C, H, W).
        spatial_scale: Pixels of the map per pixel of the image.

    Returns:
        Tensor (R, P, 2); 0 and 1 are the borders of the map.
    """
    points = rel_roi_point_to_abs_img_point(rois, rel_roi_points)
    return abs_img_point_to_rel_img_point(points, img, spatial_scale)


class SimpleRoIAlign(nn.Module):
    """RoIAlign with one sample per bin, of PointRend.

    Args:
        output_size: Bins of a box, as height and width.
        spatial_scale: Pixels of the map per pixel of the image.
        aligned: Whether pixel centers are at half-integer coordinates.
    """

    def __init__(self, output_size: Size2d, spatial_scale: float, aligned: bool = True) -> None:
        super().__init__()
        self.output_size = pair("SimpleRoIAlign", "output_size", output_size)
        self.spatial_scale = float(spatial_scale)
        self.use_torchvision = False  # read by code that treats all RoI layers alike
        self.aligned = aligned

    def forward(self, features: Tensor, rois: Tensor) -> Tensor:
        """Pool.

        Args:
            features: Tensor (N, C, H, W).
            rois: Tensor (R, 5) of image index, x1, y1, x2, y2, in any order.

        Returns:
            Tensor (R, C, height, width).
        """
        check_rois("SimpleRoIAlign", features, rois)
        height, width = features.shape[2:]
        count = rois.shape[0]
        points = rel_roi_point_to_rel_img_point(
            rois, generate_grid(count, self.output_size, rois.device), features, self.spatial_scale
        )
        x, y = points.unbind(-1)
        if self.aligned:
            x, y = x * width - 0.5, y * height - 0.5
        else:
            x, y = x * (width - 1), y * (height - 1)
        first = rois[:, :1].to(INDEX) * (height * width)
        indices, weights = bilinear_taps(y, x, height, width, offset=first)
        table = channels_last_table(features)
        out = weighted_rows(table, Taps(indices.view(-1, 4), weights.view(-1, 4)))
        out = out.view(count, self.output_size[0] * self.output_size[1], features.shape[1])
        return out.transpose(1, 2).reshape(count, features.shape[1], *self.output_size)

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale}"
