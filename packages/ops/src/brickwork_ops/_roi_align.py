"""RoIAlign: average or maximum of bilinear samples in the bins of boxes.

He et al., "Mask R-CNN", https://arxiv.org/abs/1703.06870.
"""

from typing import Literal, NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

from ._backends import torchvision_for, torchvision_ops
from ._check import check, pair, shape
from ._deprecated import renamed_arguments
from ._rows import Taps, channels_last_table, to_channels_first, weighted_bags, weighted_rows
from ._typing import INDEX, Size2d

#: How the samples of a bin are put together.
PoolMode: TypeAlias = Literal["avg", "max"]

_CHUNK = 64  # boxes whose adaptive sampling grids are padded to the same size


def roi_align(
    input: Tensor,  # noqa: A002  (mmcv's name)
    rois: Tensor,
    output_size: Size2d,
    spatial_scale: float = 1.0,
    sampling_ratio: int = 0,
    pool_mode: PoolMode = "avg",
    aligned: bool = True,
) -> Tensor:
    """Pool boxes to a fixed size from bilinear samples.

    Args:
        input: Tensor (N, C, H, W).
        rois: Tensor (R, 5) of image index, x1, y1, x2, y2; no gradient is computed for it.
        output_size: Bins of a box, as height and width.
        spatial_scale: Pixels of the map per pixel of the image, by which boxes are scaled.
        sampling_ratio: Samples along each side of a bin; 0 for one per pixel of the map, rounded
            up, which depends on the boxes and therefore breaks the graph of `torch.compile`.
        pool_mode: ``'avg'`` or ``'max'`` of the samples.
        aligned: Whether pixel centers are at half-integer coordinates, as they should be; False
            is the behavior of old Detectron models.

    Returns:
        Tensor (R, C, height, width). A bin without samples is 0.

    Raises:
        OperatorInputError: If shapes or arguments do not fit.

    Example:
        >>> image = torch.arange(16.0).view(1, 1, 4, 4)
        >>> roi_align(image, torch.tensor([[0.0, 0.0, 0.0, 4.0, 4.0]]), 2, sampling_ratio=2)
        tensor([[[[ 2.5000,  4.5000],
                  [10.5000, 12.5000]]]])
    """
    name = "roi_align"
    check(pool_mode in ("avg", "max"), name, f"pool_mode must be 'avg' or 'max', got {pool_mode!r}")
    check_rois(name, input, rois)
    size = pair(name, "output_size", output_size)
    if rois.shape[0] == 0:
        return input.new_zeros(0, input.shape[1], *size) + input.sum() * 0
    operators = torchvision_for(name, input) if pool_mode == "avg" else None
    if operators is not None:
        rois = rois.to(input.dtype)
        pooled: Tensor = operators.roi_align(
            input, rois, size, spatial_scale, sampling_ratio, aligned
        )
        return pooled
    rois = rois.detach()
    if rois.dtype in (torch.float16, torch.bfloat16):
        rois = rois.float()
    bins = _bins(rois, size, spatial_scale, aligned)
    table = channels_last_table(input)
    if sampling_ratio > 0:
        out = _fixed_grid(table, bins, input.shape, size, sampling_ratio, pool_mode)
    else:
        out = _adaptive_grid(table, bins, input.shape, size, pool_mode)
    return to_channels_first(out.view(-1, *size, input.shape[1]), input)


class RoIAlign(nn.Module):
    """RoIAlign as a layer, see `roi_align`.

    Args:
        output_size: Bins of a box, as height and width.
        spatial_scale: Pixels of the map per pixel of the image.
        sampling_ratio: Samples along each side of a bin; 0 for one per pixel of the map.
        pool_mode: ``'avg'`` or ``'max'`` of the samples.
        aligned: Whether pixel centers are at half-integer coordinates.
        use_torchvision: Whether to call ``torchvision.ops.roi_align`` (averages only).
    """

    @renamed_arguments("RoIAlign", out_size="output_size", sample_num="sampling_ratio")
    def __init__(
        self,
        output_size: Size2d,
        spatial_scale: float = 1.0,
        sampling_ratio: int = 0,
        pool_mode: PoolMode = "avg",
        aligned: bool = True,
        use_torchvision: bool = False,
    ) -> None:
        super().__init__()
        self.output_size = pair("RoIAlign", "output_size", output_size)
        self.spatial_scale = float(spatial_scale)
        self.sampling_ratio = int(sampling_ratio)
        self.pool_mode: PoolMode = pool_mode
        self.aligned = aligned
        self.use_torchvision = use_torchvision

    def forward(self, input: Tensor, rois: Tensor) -> Tensor:  # noqa: A002  (mmcv's name)
        """Pool.

        Args:
            input: Tensor (N, C, H, W).
            rois: Tensor (R, 5) of image index, x1, y1, x2, y2.

        Returns:
            Tensor (R, C, height, width).
        """
        if self.use_torchvision:
            pooled: Tensor = torchvision_ops().roi_align(
                input,
                rois,
                self.output_size,
                self.spatial_scale,
                self.sampling_ratio,
                self.aligned,
            )
            return pooled
        return roi_align(
            input,
            rois,
            self.output_size,
            self.spatial_scale,
            self.sampling_ratio,
            self.pool_mode,
            self.aligned,
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"output_size={self.output_size}, spatial_scale={self.spatial_scale}, "
            f"sampling_ratio={self.sampling_ratio}, pool_mode={self.pool_mode}, "
            f"aligned={self.aligned}, use_torchvision={self.use_torchvision}"
        )


def check_rois(name: str, features: Tensor, rois: Tensor) -> None:
    """Check the shapes of a feature map and boxes.

    Raises:
        OperatorInputError: If they do not fit.
    """
    check(features.dim() == 4, name, f"input must have shape (N, C, H, W), got {shape(features)}")
    check(
        rois.dim() == 2 and rois.shape[1] == 5,
        name,
        f"rois must have shape (R, 5) of image index, x1, y1, x2, y2, got {shape(rois)}",
    )


class _Axis(NamedTuple):
    """The bins of boxes along one axis, in pixels of the map; tensors (R, 1, 1)."""

    start: Tensor
    bin_size: Tensor


class _Bins(NamedTuple):
    """The bins of boxes: their images (R,) and both axes."""

    image: Tensor
    y: _Axis
    x: _Axis

    def select(self, rows: Tensor) -> "_Bins":
        """Return the bins of some boxes."""
        y, x = (_Axis(axis.start[rows], axis.bin_size[rows]) for axis in (self.y, self.x))
        return _Bins(self.image[rows], y, x)


def _bins(rois: Tensor, size: tuple[int, int], spatial_scale: float, aligned: bool) -> _Bins:
    """Place the bins of each box on the map."""
    corners = rois[:, 1:] * spatial_scale - (0.5 if aligned else 0.0)
    x1, y1, x2, y2 = corners.view(-1, 4, 1, 1).unbind(1)
    width, height = x2 - x1, y2 - y1
    if not aligned:  # as old models expect
        width, height = width.clamp(min=1), height.clamp(min=1)
    return _Bins(rois[:, 0].to(INDEX), _Axis(y1, height / size[0]), _Axis(x1, width / size[1]))


def _samples(axis: _Axis, bins: int, grid: int, counts: Tensor | int) -> Tensor:
    """Return the coordinates of the samples along an axis.

    Args:
        axis: Bins of R boxes.
        bins: Number of bins of a box.
        grid: Number of samples to compute of each bin.
        counts: Number of samples of a bin that are spread over it, `grid` or (R, 1, 1).

    Returns:
        Tensor (R, bins, grid).
    """
    device, dtype = axis.start.device, axis.start.dtype
    place = torch.arange(bins, device=device, dtype=dtype)[:, None]
    step = torch.arange(grid, device=device, dtype=dtype) + 0.5
    if isinstance(counts, Tensor):  # samples beyond a box's number repeat its last one
        step = torch.minimum(step, counts - 0.5)
    return axis.start + place * axis.bin_size + step * axis.bin_size / counts


def _linear_taps(coordinates: Tensor, size: int) -> Taps:
    """Return the two pixels around each coordinate along an axis: (..., 2).

    A coordinate up to one pixel outside counts as the border, one further out as 0.
    """
    inside = (coordinates >= -1) & (coordinates <= size)
    # Where `inside` is false, any coordinate does; clamping keeps it in range.
    coordinates = coordinates.clamp(0, size - 1)
    low = coordinates.floor()
    to_high = coordinates - low
    low = low.to(INDEX)
    high = (low + 1).clamp(max=size - 1)
    weights = torch.stack([1 - to_high, to_high], -1) * inside[..., None]
    return Taps(torch.stack([low, high], -1), weights)


def _outer_taps(image: Tensor, y: Taps, x: Taps, height: int, width: int) -> Taps:
    """Combine the taps of both axes.

    Args:
        image: Tensor (R,), the image of each box.
        y: Taps (R, bins, T) of rows.
        x: Taps (R, bins, U) of columns.
        height: Height of the map.
        width: Width of the map.

    Returns:
        Taps (R, y bins, x bins, T, U).
    """
    rows = (image.view(-1, 1, 1) * height + y.indices) * width
    indices = rows[:, :, None, :, None] + x.indices[:, None, :, None, :]
    weights = y.weights[:, :, None, :, None] * x.weights[:, None, :, None, :]
    return Taps(indices, weights)


def _fixed_grid(
    table: Tensor,
    bins: _Bins,
    input_shape: torch.Size,
    size: tuple[int, int],
    grid: int,
    pool_mode: PoolMode,
) -> Tensor:
    """Pool with the same number of samples in each bin: (R * bins, C)."""
    height, width = input_shape[2:]
    y, x = (
        _linear_taps(_samples(axis, number, grid, grid), length)
        for axis, number, length in ((bins.y, size[0], height), (bins.x, size[1], width))
    )
    if pool_mode == "max":
        return _sample(table, bins.image, y, x, height, width).max(1).values
    y = y._replace(weights=y.weights / grid**2)
    indices, weights = _outer_taps(bins.image, _flat(y), _flat(x), height, width)
    count = 4 * grid * grid
    return weighted_rows(table, Taps(indices.view(-1, count), weights.view(-1, count)))


def _compact_taps(image: Tensor, y: Taps, x: Taps, height: int, width: int) -> tuple[Taps, Tensor]:
    """Combine the taps of both axes and leave out those of weight 0.

    Args:
        image: Tensor (R,), the image of each box.
        y: Taps (R, bins, T) of rows.
        x: Taps (R, bins, U) of columns.
        height: Height of the map.
        width: Width of the map.

    Returns:
        Taps (T,), bin by bin, and their number in each bin, (R, bins).
    """
    indices, weights = _outer_taps(image, y, x, height, width)
    reads = weights != 0
    return Taps(indices[reads], weights[reads]), reads.sum((3, 4)).flatten(1)


def _flat(taps: Taps) -> Taps:
    """Merge the samples of a bin and their two pixels: (R, bins, S, 2) to (R, bins, S * 2)."""
    return Taps(taps.indices.flatten(2), taps.weights.flatten(2))


def _sample(table: Tensor, image: Tensor, y: Taps, x: Taps, height: int, width: int) -> Tensor:
    """Return the single samples of all bins: (R * bins, samples, C)."""
    grid_y, grid_x = y.indices.shape[2], x.indices.shape[2]
    indices, weights = _outer_taps(image, _flat(y), _flat(x), height, width)
    split = (*indices.shape[:3], grid_y, 2, grid_x, 2)
    indices, weights = (t.view(split).transpose(4, 5).reshape(-1, 4) for t in (indices, weights))
    return weighted_rows(table, Taps(indices, weights)).view(-1, grid_y * grid_x, table.shape[1])


def _adaptive_grid(
    table: Tensor,
    bins: _Bins,
    input_shape: torch.Size,
    size: tuple[int, int],
    pool_mode: PoolMode,
) -> Tensor:
    """Pool with about one sample per pixel of the map: (R * bins, C).

    Boxes are treated in chunks of similar size, padded to the largest grid of a chunk.
    """
    grids_y = bins.y.bin_size.ceil().clamp(min=0)
    grids_x = bins.x.bin_size.ceil().clamp(min=0)
    order = (grids_y * (grids_x.max() + 1) + grids_x).flatten().argsort()
    pooled: list[Tensor] = []
    parts: list[tuple[Taps, Tensor]] = []
    for rows in torch.split(order, _CHUNK):
        chunk, count_y, count_x = bins.select(rows), grids_y[rows], grids_x[rows]
        y = _counted_taps(chunk.y, count_y, size[0], input_shape[2])
        x = _counted_taps(chunk.x, count_x, size[1], input_shape[3])
        if pool_mode == "max":
            samples = _sample(table, chunk.image, y, x, *input_shape[2:])
            pooled.append(_maximum_of_present(samples, count_y, count_x))
            continue
        y, x = _merged(y), _merged(x)
        y = y._replace(weights=y.weights / (count_y * count_x).clamp(min=1))
        parts.append(_compact_taps(chunk.image, y, x, *input_shape[2:]))
    back = torch.empty_like(order)
    back[order] = torch.arange(len(order), device=order.device)
    if pool_mode == "max":
        return torch.cat(pooled).view(len(order), -1)[back].view(-1, table.shape[1])
    sizes = torch.cat([part_sizes for _, part_sizes in parts])
    taps = Taps(
        torch.cat([part.indices for part, _ in parts]),
        torch.cat([part.weights for part, _ in parts]),
    )
    return weighted_bags(table, _reordered(taps, sizes.sum(1), order), sizes[back].flatten())


def _reordered(taps: Taps, lengths: Tensor, order: Tensor) -> Taps:
    """Bring the taps of boxes back into the order of the boxes.

    Args:
        taps: Taps (T,), box by box.
        lengths: Tensor (R,), the number of taps of each box.
        order: Tensor (R,), the box that each of `lengths` belongs to.
    """
    in_order = torch.empty_like(lengths)
    in_order[order] = lengths
    start = (in_order.cumsum(0) - in_order)[order]
    shift = start - (lengths.cumsum(0) - lengths)
    place = torch.arange(len(taps.indices), device=order.device)
    place += torch.repeat_interleave(shift, lengths)
    indices, weights = torch.empty_like(taps.indices), torch.empty_like(taps.weights)
    indices[place], weights[place] = taps
    return Taps(indices, weights)


def _counted_taps(axis: _Axis, counts: Tensor, bins: int, length: int) -> Taps:
    """Return the taps of bins with different numbers of samples: (R, bins, largest number, 2)."""
    grid = max(int(counts.max()), 1)
    taps = _linear_taps(_samples(axis, bins, grid, counts.clamp(min=1)), length)
    present = torch.arange(grid, device=counts.device) < counts
    return taps._replace(weights=taps.weights * present[..., None])


def _merged(taps: Taps) -> Taps:
    """Add up the weights of a bin's samples by pixel: (R, bins, S, 2) to (R, bins, T).

    Samples are at most a pixel apart, so about S + 1 pixels in a row receive all weights.
    """
    indices, weights = _flat(taps)
    first = indices.amin(2, keepdim=True)
    place = (indices - first).to(torch.long)
    count = int(place.max()) + 1
    merged = weights.new_zeros(*weights.shape[:2], count).scatter_add(2, place, weights)
    pixels = first + torch.arange(count, device=first.device, dtype=INDEX)
    # A pixel beyond the last one of a bin has weight 0 and must only be in range.
    return Taps(torch.minimum(pixels, indices.amax(2, keepdim=True)), merged)


def _maximum_of_present(samples: Tensor, count_y: Tensor, count_x: Tensor) -> Tensor:
    """Return the maximum of the samples that a bin has, without those that pad the chunk.

    Args:
        samples: Tensor (R * bins, samples, C).
        count_y: Tensor (R, 1, 1), the number of samples in height.
        count_x: Tensor (R, 1, 1), the number of samples in width.

    Returns:
        Tensor (R * bins, C); 0 for a bin without samples.
    """
    grid_y, grid_x = max(int(count_y.max()), 1), max(int(count_x.max()), 1)
    present_y = torch.arange(grid_y, device=samples.device)[:, None] < count_y
    present_x = torch.arange(grid_x, device=samples.device) < count_x
    present = (present_y & present_x).flatten(1)
    bins = samples.shape[0] // present.shape[0]
    present = present.repeat_interleave(bins, 0)[..., None]
    maximum = samples.masked_fill(~present, -torch.inf).max(1).values
    return maximum.masked_fill(~present.any(1), 0)
