"""Deformable convolution, plain (v1) and modulated (v2).

Dai et al., "Deformable Convolutional Networks", https://arxiv.org/abs/1703.06211; Zhu et al.,
"Deformable ConvNets v2", https://arxiv.org/abs/1811.11168.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ._backends import torchvision_for
from ._check import check, pair, shape
from ._rows import Taps, bilinear_taps, channels_last_table, to_channels_first, weighted_rows
from ._typing import INDEX, Size2d
from .errors import OperatorInputError

# Sampled columns beyond this size are computed in chunks and recomputed in the backward pass.
COLUMN_LIMIT = 256 * 2**20  # bytes

# Without a backward pass, chunks of this size are reused by the allocator and stay in the cache.
CACHE_LIMIT = 4 * 2**20  # bytes


@dataclass(frozen=True)
class _Geometry:
    """Sizes of one deformable convolution."""

    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    deform_groups: int
    output: tuple[int, int]

    @property
    def taps(self) -> int:
        return self.kernel[0] * self.kernel[1]


def deform_conv2d(
    input: Tensor,  # noqa: A002  (mmcv's name)
    offset: Tensor,
    weight: Tensor,
    stride: Size2d = 1,
    padding: Size2d = 0,
    dilation: Size2d = 1,
    groups: int = 1,
    deform_groups: int = 1,
    bias: bool = False,
    im2col_step: int = 32,
) -> Tensor:
    """Convolve an input sampled at shifted positions.

    The tap (i, j) of the kernel reads the input at its regular position plus an offset of its
    own, by bilinear interpolation, 0 outside. Inputs are converted to the type of `offset`;
    positions are computed in float32 or float64.

    Args:
        input: Tensor (N, C_in, H, W).
        offset: Tensor (N, deform_groups * kH * kW * 2, H_out, W_out), as y, x of each tap.
        weight: Tensor (C_out, C_in / groups, kH, kW).
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        deform_groups: Number of channel groups that have offsets of their own.
        bias: Must be False; part of mmcv's signature.
        im2col_step: Must divide the batch size if that is larger; part of mmcv's signature.

    Returns:
        Tensor (N, C_out, H_out, W_out).

    Raises:
        OperatorInputError: If shapes do not match.

    Example:
        >>> x, weight = torch.rand(1, 4, 8, 8), torch.rand(6, 4, 3, 3)
        >>> offset = torch.zeros(1, 18, 8, 8)
        >>> out = deform_conv2d(x, offset, weight, padding=1)
        >>> torch.allclose(out, torch.nn.functional.conv2d(x, weight, padding=1), atol=1e-5)
        True
    """
    name = "deform_conv2d"
    check(bias is False, name, f"bias must be False, got {bias!r}")
    geometry = _geometry(
        name, input, offset, weight, stride, padding, dilation, groups, deform_groups
    )
    step = min(im2col_step, input.shape[0])
    check(
        step == 0 or input.shape[0] % step == 0,
        name,
        f"batch size must be divisible by im2col_step, got {input.shape[0]} and {step}",
    )
    return _deform_conv2d(name, input, offset, None, weight, None, geometry)


def modulated_deform_conv2d(
    input: Tensor,  # noqa: A002  (mmcv's name)
    offset: Tensor,
    mask: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size2d = 1,
    padding: Size2d = 0,
    dilation: Size2d = 1,
    groups: int = 1,
    deform_groups: int = 1,
) -> Tensor:
    """Convolve an input sampled at shifted positions, each sample scaled by a mask.

    Args:
        input: Tensor (N, C_in, H, W).
        offset: Tensor (N, deform_groups * kH * kW * 2, H_out, W_out), as y, x of each tap.
        mask: Tensor (N, deform_groups * kH * kW, H_out, W_out).
        weight: Tensor (C_out, C_in / groups, kH, kW).
        bias: Tensor (C_out,) or None.
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        deform_groups: Number of channel groups that have offsets and masks of their own.

    Returns:
        Tensor (N, C_out, H_out, W_out).

    Raises:
        OperatorInputError: If shapes do not match.
    """
    name = "modulated_deform_conv2d"
    geometry = _geometry(
        name, input, offset, weight, stride, padding, dilation, groups, deform_groups
    )
    expected = (input.shape[0], deform_groups * geometry.taps, *geometry.output)
    check(
        shape(mask) == expected,
        name,
        f"mask must have shape (N, deform_groups * kH * kW, H_out, W_out) = {expected}, "
        f"got {shape(mask)}",
    )
    if bias is not None:
        check(
            shape(bias) == (weight.shape[0],),
            name,
            f"bias must have shape {(weight.shape[0],)}, got {shape(bias)}",
        )
    return _deform_conv2d(name, input, offset, mask, weight, bias, geometry)


def _geometry(
    name: str,
    features: Tensor,
    offset: Tensor,
    weight: Tensor,
    stride: Size2d,
    padding: Size2d,
    dilation: Size2d,
    groups: int,
    deform_groups: int,
) -> _Geometry:
    """Check the shapes of a deformable convolution and return its sizes."""
    if features.dim() != 4 or weight.dim() != 4:
        raise OperatorInputError(
            name,
            f"input and weight must have 4 dimensions, got shapes {shape(features)} "
            f"and {shape(weight)}",
        )
    kernel = (weight.shape[2], weight.shape[3])
    strides, paddings = pair(name, "stride", stride), pair(name, "padding", padding)
    dilations = pair(name, "dilation", dilation)
    channels = features.shape[1]
    check(
        weight.shape[1] * groups == channels and weight.shape[0] % groups == 0,
        name,
        f"a weight of shape {shape(weight)} in {groups} groups does not fit an input of "
        f"{channels} channels",
    )
    check(
        channels % deform_groups == 0,
        name,
        f"deform_groups must divide the {channels} input channels, got {deform_groups}",
    )
    height, width = (
        (features.shape[2 + axis] + 2 * paddings[axis] - dilations[axis] * (kernel[axis] - 1) - 1)
        // strides[axis]
        + 1
        for axis in (0, 1)
    )
    check(
        height > 0 and width > 0,
        name,
        f"convolution input is too small: an input of shape {shape(features)} and a kernel of "
        f"{kernel} would give an output of ({height}, {width})",
    )
    expected = (features.shape[0], deform_groups * kernel[0] * kernel[1] * 2, height, width)
    check(
        shape(offset) == expected,
        name,
        f"offset must have shape (N, deform_groups * kH * kW * 2, H_out, W_out) = {expected}, "
        f"got {shape(offset)}",
    )
    return _Geometry(kernel, strides, paddings, dilations, groups, deform_groups, (height, width))


def _deform_conv2d(
    name: str,
    features: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    geometry: _Geometry,
) -> Tensor:
    """Run the chosen backend, in the type of `offset`."""
    features, weight = features.to(offset.dtype), weight.to(offset.dtype)
    mask = None if mask is None else mask.to(offset.dtype)
    bias = None if bias is None else bias.to(offset.dtype)
    with _no_autocast(features):
        operators = torchvision_for(name, features)
        if operators is not None:
            return operators.deform_conv2d(  # type: ignore[no-any-return]
                features,
                offset,
                weight,
                bias,
                geometry.stride,
                geometry.padding,
                geometry.dilation,
                mask,
            )
        return _sampled_conv(features, offset, mask, weight, bias, geometry)


def _sampled_conv(
    features: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    geometry: _Geometry,
) -> Tensor:
    """Sample all taps of all positions, then multiply by the weight."""
    n, channels, height, width = features.shape
    out_height, out_width = geometry.output
    table = channels_last_table(features, geometry.deform_groups)
    y, x, first_row = _positions(offset, geometry, height * width)
    if mask is not None:
        mask = mask.reshape(n, geometry.deform_groups, geometry.taps, out_height * out_width)
        mask = mask.permute(0, 3, 2, 1)
        mask = mask.reshape(-1, geometry.taps, geometry.deform_groups)
    # (C_out, C_in / groups, kH, kW) to (C_out, kH * kW, C_in / groups)
    matrix = weight.flatten(2).transpose(1, 2).contiguous()

    def rows(start: int, stop: int) -> Tensor:
        return _output_rows(
            table,
            y[start:stop],
            x[start:stop],
            first_row[start:stop],
            None if mask is None else mask[start:stop],
            matrix,
            bias,
            geometry.groups,
            (height, width),
        )

    count = n * out_height * out_width
    if torch.compiler.is_compiling():
        out = rows(0, count)  # a loop would fix the size of the input
    else:
        out = _in_chunks(rows, count, geometry.taps * channels * features.element_size())
    return to_channels_first(out.view(n, out_height, out_width, weight.shape[0]), features)


def _in_chunks(rows: Callable[[int, int], Tensor], count: int, row_bytes: int) -> Tensor:
    """Compute output positions in chunks whose columns stay within the limits.

    Args:
        rows: Computes the positions from the first to the second number.
        count: Number of positions.
        row_bytes: Size of the columns of a position.
    """
    recompute = torch.is_grad_enabled()
    chunk = max((COLUMN_LIMIT if recompute else CACHE_LIMIT) // row_bytes, 1)
    if count <= chunk:
        return rows(0, count)
    ranges = [(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    if not recompute:
        return torch.cat([rows(*positions) for positions in ranges])
    return torch.cat(
        [
            checkpoint(rows, *positions, use_reentrant=False, preserve_rng_state=False)
            for positions in ranges
        ]
    )


def _positions(offset: Tensor, geometry: _Geometry, pixels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return where each tap reads.

    Args:
        offset: Tensor (N, deform_groups * kH * kW * 2, H_out, W_out).
        geometry: Sizes of the convolution.
        pixels: Number of pixels of an input image.

    Returns:
        Row and column coordinates, each (N * H_out * W_out, kH * kW, deform_groups), and the
        first pixel of the image that each output position reads, (N * H_out * W_out, 1, 1).
    """
    n = offset.shape[0]
    out_height, out_width = geometry.output
    kernel_height, kernel_width = geometry.kernel
    if offset.dtype in (torch.float16, torch.bfloat16):
        offset = offset.float()
    device, dtype = offset.device, offset.dtype

    def regular(axis: int) -> Tensor:
        """Return the positions of a plain convolution along an axis: (output, kernel)."""
        corner = torch.arange(geometry.output[axis], device=device, dtype=dtype)
        tap = torch.arange(geometry.kernel[axis], device=device, dtype=dtype)
        corner = corner * geometry.stride[axis] - geometry.padding[axis]
        return corner[:, None] + tap * geometry.dilation[axis]

    # To (N, H_out, W_out, kH, kW, deform_groups, 2).
    offset = offset.reshape(
        n, geometry.deform_groups, kernel_height, kernel_width, 2, out_height, out_width
    ).permute(0, 5, 6, 2, 3, 1, 4)
    y = regular(0)[:, None, :, None, None] + offset[..., 0]
    x = regular(1)[None, :, None, :, None] + offset[..., 1]
    count = out_height * out_width
    first = torch.arange(n, device=device, dtype=INDEX) * pixels
    first = first[:, None].expand(n, count).reshape(-1, 1, 1)
    layout = (n * count, geometry.taps, geometry.deform_groups)
    return y.reshape(layout), x.reshape(layout), first


def _output_rows(
    table: Tensor,
    y: Tensor,
    x: Tensor,
    first: Tensor,
    mask: Tensor | None,
    matrix: Tensor,
    bias: Tensor | None,
    groups: int,
    size: tuple[int, int],
) -> Tensor:
    """Compute some output positions: (P, C_out).

    Args:
        table: Pixels, (N * H * W * deform_groups, C_in / deform_groups).
        y: Row coordinates, (P, kH * kW, deform_groups).
        x: Column coordinates, of the same shape.
        first: First pixel of the image that each position reads, (P, 1, 1).
        mask: Scale of each sample, of the same shape as `y`, or None.
        matrix: The weight, (C_out, kH * kW, C_in / groups).
        bias: Tensor (C_out,) or None.
        groups: Number of blocked connections from input to output channels.
        size: Height and width of the input.
    """
    positions, kernel_taps, deform_groups = y.shape
    indices, weights = bilinear_taps(y, x, *size, offset=first)
    if mask is not None:
        weights = weights * mask[..., None]
    if deform_groups > 1:
        group = torch.arange(deform_groups, device=y.device, dtype=INDEX)
        indices = indices * deform_groups + group[:, None]
    columns = weighted_rows(table, Taps(indices.reshape(-1, 4), weights.reshape(-1, 4)))
    outputs, _, group_channels = matrix.shape
    if groups == 1:
        columns = columns.view(positions, kernel_taps * group_channels)
        return F.linear(columns, matrix.view(outputs, kernel_taps * group_channels), bias)
    # One product per tap reads the columns where they are; a single one would copy them.
    columns = columns.view(positions, kernel_taps, groups, group_channels).transpose(0, 2)
    matrix = matrix.view(groups, outputs // groups, kernel_taps, group_channels)
    out = columns.new_zeros(groups, positions, outputs // groups)
    for tap in range(kernel_taps):
        out = torch.baddbmm(out, columns[:, tap], matrix[:, :, tap].transpose(1, 2))
    out = out.transpose(0, 1).reshape(positions, outputs)
    return out if bias is None else out + bias


def _no_autocast(tensor: Tensor) -> AbstractContextManager[None]:
    """Keep the types as they are: as in mmcv, that of the offsets decides."""
    if tensor.is_meta:
        return nullcontext()
    return torch.autocast(tensor.device.type, enabled=False)
