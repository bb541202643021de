"""Multi-scale deformable attention, as functions.

Zhu et al., "Deformable DETR", https://arxiv.org/abs/2010.04159.
"""

from collections.abc import Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from ._check import check, shape, values_are_readable
from ._rows import Taps, bilinear_taps, weighted_rows
from ._typing import INDEX

_NAME = "multi_scale_deformable_attn"

#: Heights and widths of the levels: an integer tensor (L, 2) or a sequence of pairs.
SpatialShapes: TypeAlias = Tensor | Sequence[tuple[int, int]]


def multi_scale_deformable_attn_pytorch(
    value: Tensor,
    value_spatial_shapes: SpatialShapes,
    sampling_locations: Tensor,
    attention_weights: Tensor,
) -> Tensor:
    """Sum samples of several feature maps with attention weights.

    Each query reads `value` at P points of each of L levels by bilinear interpolation, 0 outside.
    Locations and weights are used in float32 or float64.

    Args:
        value: Tensor (N, S, M, D), the levels one after the other, of M heads.
        value_spatial_shapes: Height and width of each level; S is the sum of their products.
        sampling_locations: Tensor (N, Q, M, L, P, 2) of x, y; 0 and 1 are the borders of the map.
        attention_weights: Tensor (N, Q, M, L, P).

    Returns:
        Tensor (N, Q, M * D).

    Raises:
        OperatorInputError: If shapes do not match.
    """
    shapes = spatial_shapes_tensor(value_spatial_shapes, value.device)
    check_shapes(value, shapes, sampling_locations, attention_weights)
    batch, keys, heads, channels = value.shape
    queries = sampling_locations.shape[1]
    if sampling_locations.dtype in (torch.float16, torch.bfloat16):
        sampling_locations = sampling_locations.float()

    # Everything below is (N, Q, M, L, P): the sizes of a level broadcast along its axis.
    heights, widths = shapes[:, 0, None], shapes[:, 1, None]
    sizes = heights * widths
    image = torch.arange(batch, device=value.device, dtype=INDEX) * keys
    start = image.view(-1, 1, 1, 1, 1) + (sizes.cumsum(0, dtype=INDEX) - sizes)
    x = sampling_locations[..., 0] * widths - 0.5
    y = sampling_locations[..., 1] * heights - 0.5
    indices, weights = bilinear_taps(y, x, heights, widths, offset=start)
    head = torch.arange(heads, device=value.device, dtype=INDEX).view(-1, 1, 1, 1)
    layout = (batch * queries * heads, indices.shape[3] * indices.shape[4] * 4)
    taps = Taps(
        (indices * heads + head).reshape(layout),
        (weights * attention_weights[..., None]).reshape(layout),
    )
    out = weighted_rows(value.reshape(-1, channels), taps)
    return out.view(batch, queries, heads * channels)


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int = 64,
) -> Tensor:
    """Compute multi-scale deformable attention, by the signature of mmcv's compiled kernel.

    Args:
        value: Tensor (N, S, M, D).
        value_spatial_shapes: Tensor (L, 2).
        value_level_start_index: Tensor (L,); not needed, it follows from the shapes.
        sampling_locations: Tensor (N, Q, M, L, P, 2).
        attention_weights: Tensor (N, Q, M, L, P).
        im2col_step: Not needed.

    Returns:
        Tensor (N, Q, M * D), without a gradient.
    """
    with torch.no_grad():
        return multi_scale_deformable_attn_pytorch(
            value, value_spatial_shapes, sampling_locations, attention_weights
        )


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int = 64,
) -> None:
    """Add the gradients of multi-scale deformable attention to three tensors.

    Args:
        value: Tensor (N, S, M, D).
        value_spatial_shapes: Tensor (L, 2).
        value_level_start_index: Tensor (L,); not needed, it follows from the shapes.
        sampling_locations: Tensor (N, Q, M, L, P, 2).
        attention_weights: Tensor (N, Q, M, L, P).
        grad_output: Tensor (N, Q, M * D).
        grad_value: Receives the gradient of `value`.
        grad_sampling_loc: Receives that of `sampling_locations`.
        grad_attn_weight: Receives that of `attention_weights`.
        im2col_step: Not needed.
    """
    inputs = [t.detach().requires_grad_() for t in (value, sampling_locations, attention_weights)]
    with torch.enable_grad():
        out = multi_scale_deformable_attn_pytorch(
            inputs[0], value_spatial_shapes, inputs[1], inputs[2]
        )
    gradients = torch.autograd.grad(out, inputs, grad_output)
    for buffer, gradient in zip(
        (grad_value, grad_sampling_loc, grad_attn_weight), gradients, strict=True
    ):
        buffer.add_(gradient)


class MultiScaleDeformableAttnFunction:
    """The name under which mmcv has multi-scale deformable attention on a GPU.

    Only ``apply`` is there; autograd needs no function of its own.
    """

    @staticmethod
    def apply(
        value: Tensor,
        value_spatial_shapes: Tensor,
        value_level_start_index: Tensor,
        sampling_locations: Tensor,
        attention_weights: Tensor,
        im2col_step: int = 64,
    ) -> Tensor:
        """Compute `multi_scale_deformable_attn_pytorch` in the type of `value`.

        Args:
            value: Tensor (N, S, M, D).
            value_spatial_shapes: Tensor (L, 2).
            value_level_start_index: Tensor (L,); not needed, it follows from the shapes.
            sampling_locations: Tensor (N, Q, M, L, P, 2).
            attention_weights: Tensor (N, Q, M, L, P).
            im2col_step: Not needed.

        Returns:
            Tensor (N, Q, M * D).
        """
        return multi_scale_deformable_attn_pytorch(
            value, value_spatial_shapes, sampling_locations, attention_weights
        )


def spatial_shapes_tensor(spatial_shapes: SpatialShapes, device: torch.device) -> Tensor:
    """Return the sizes of the levels as an integer tensor (L, 2).

    Raises:
        OperatorInputError: If they are not pairs.
    """
    if not isinstance(spatial_shapes, Tensor):
        spatial_shapes = torch.tensor([tuple(size) for size in spatial_shapes], device=device)
    check(
        spatial_shapes.dim() == 2 and spatial_shapes.shape[1] == 2,
        _NAME,
        f"spatial_shapes must have shape (levels, 2), got {shape(spatial_shapes)}",
    )
    return spatial_shapes.to(device=device, dtype=INDEX)


def check_shapes(
    value: Tensor, shapes: Tensor, sampling_locations: Tensor, attention_weights: Tensor
) -> None:
    """Check the shapes of the inputs of multi-scale deformable attention.

    Raises:
        OperatorInputError: If they do not match.
    """
    check(value.dim() == 4, _NAME, f"value must have shape (N, S, M, D), got {shape(value)}")
    batch, keys, heads, _ = value.shape
    levels = shapes.shape[0]
    check(
        sampling_locations.dim() == 6
        and shape(sampling_locations)[0] == batch
        and shape(sampling_locations)[2:4] == (heads, levels)
        and sampling_locations.shape[5] == 2,
        _NAME,
        f"sampling_locations must have shape (N={batch}, Q, M={heads}, L={levels}, P, 2), "
        f"got {shape(sampling_locations)}",
    )
    check(
        shape(attention_weights) == shape(sampling_locations)[:5],
        _NAME,
        f"attention_weights must have shape {shape(sampling_locations)[:5]}, "
        f"got {shape(attention_weights)}",
    )
    check_length(keys, shapes)


def check_length(keys: int, shapes: Tensor) -> None:
    """Check that the levels together are as long as the sequence.

    Raises:
        OperatorInputError: If they are not.
    """
    if values_are_readable(shapes):
        total = int(shapes.prod(1).sum())
        check(
            total == keys,
            _NAME,
            f"spatial_shapes {shapes.tolist()} hold {total} positions, "
            f"but value has a sequence length of {keys}",
        )
