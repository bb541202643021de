"""Multi-scale deformable attention as a layer."""

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from brickwork_init import constant_init, xavier_init
from torch import Tensor, nn

from ._check import check, shape
from ._deprecated import renamed_arguments
from ._ms_deform_attn import (
    SpatialShapes,
    check_length,
    multi_scale_deformable_attn_pytorch,
    spatial_shapes_tensor,
)


class MultiScaleDeformableAttention(nn.Module):
    """Attention over a few sampled points of several feature maps (Deformable DETR).

    Args:
        embed_dims: Number of channels of a query.
        num_heads: Number of attention heads.
        num_levels: Number of feature maps.
        num_points: Number of points that a query samples of each map in each head.
        im2col_step: Not needed; part of mmcv's signature.
        dropout: Probability of an output to be zeroed before the identity is added.
        batch_first: Whether queries and values are (N, Q, C) instead of (Q, N, C).
        norm_cfg: Not needed; part of mmcv's signature.
        init_cfg: Kept as an attribute; `init_weights` fills the weights by the paper's rule.

    Raises:
        OperatorInputError: If `num_heads` does not divide `embed_dims`.
    """

    def __init__(
        self,
        embed_dims: int = 256,
        num_heads: int = 8,
        num_levels: int = 4,
        num_points: int = 4,
        im2col_step: int = 64,
        dropout: float = 0.1,
        batch_first: bool = False,
        norm_cfg: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        check(
            embed_dims % num_heads == 0,
            name,
            f"embed_dims must be divisible by num_heads, got {embed_dims} and {num_heads}",
        )
        head_channels = embed_dims // num_heads
        if head_channels & (head_channels - 1):
            warnings.warn(
                f"{name}: {head_channels} channels per head (embed_dims / num_heads) are slower "
                "on a GPU than a power of 2",
                stacklevel=2,
            )
        self.init_cfg = init_cfg
        self.norm_cfg = norm_cfg
        self.dropout = nn.Dropout(dropout)
        self.batch_first = batch_first
        self.im2col_step = im2col_step
        self.embed_dims = embed_dims
        self.num_levels = num_levels
        self.num_heads = num_heads
        self.num_points = num_points
        samples = num_heads * num_levels * num_points
        self.sampling_offsets = nn.Linear(embed_dims, samples * 2)
        self.attention_weights = nn.Linear(embed_dims, samples)
        self.value_proj = nn.Linear(embed_dims, embed_dims)
        self.output_proj = nn.Linear(embed_dims, embed_dims)
        self.init_weights()

    def init_weights(self) -> None:
        """Initialize: each head looks in a direction of its own, all points weigh the same."""
        constant_init(self.sampling_offsets, 0.0)
        device = self.sampling_offsets.bias.device
        angles = torch.arange(self.num_heads, dtype=torch.float32, device=device)
        angles = angles * (2.0 * math.pi / self.num_heads)
        directions = torch.stack([angles.cos(), angles.sin()], -1)
        directions = directions / directions.abs().max(-1, keepdim=True).values
        distances = torch.arange(1, self.num_points + 1, dtype=torch.float32, device=device)
        points = directions.view(-1, 1, 1, 2) * distances.view(-1, 1)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(points.expand(-1, self.num_levels, -1, -1).flatten())
        constant_init(self.attention_weights, val=0.0, bias=0.0)
        xavier_init(self.value_proj, distribution="uniform", bias=0.0)
        xavier_init(self.output_proj, distribution="uniform", bias=0.0)
        self._is_init = True

    @renamed_arguments("MultiScaleDeformableAttention", residual="identity")
    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        reference_points: Tensor | None = None,
        spatial_shapes: SpatialShapes | None = None,
        level_start_index: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Attend.

        Args:
            query: Tensor (Q, N, C), or (N, Q, C) if ``batch_first``.
            key: Not needed; part of mmcv's signature.
            value: Tensor (S, N, C), or (N, S, C): the levels one after the other; None for
                `query`.
            identity: What the output is added to, like `query`; None for `query`.
            query_pos: Positional encoding that is added to `query`, or None.
            key_padding_mask: Boolean tensor (N, S), true where a value counts as 0; or None.
            reference_points: Tensor (N, Q, L, 2) of x, y in [0, 1], or (N, Q, L, 4) of boxes
                x, y, w, h.
            spatial_shapes: Height and width of each level.
            level_start_index: Not needed; it follows from the shapes.
            **kwargs: Ignored, as by mmcv.

        Returns:
            Tensor like `query`.

        Raises:
            OperatorInputError: If an argument is missing or shapes do not match.
        """
        name = type(self).__name__
        if reference_points is None or spatial_shapes is None:
            missing = "reference_points" if reference_points is None else "spatial_shapes"
            raise TypeError(f"{name}: forward() is missing the argument {missing!r}")
        value = query if value is None else value
        identity = query if identity is None else identity
        if query_pos is not None:
            query = query + query_pos
        if not self.batch_first:
            query, value = query.transpose(0, 1), value.transpose(0, 1)
        batch, queries, _ = query.shape
        keys = value.shape[1]
        shapes = spatial_shapes_tensor(spatial_shapes, value.device)
        check_length(keys, shapes)

        value = self.value_proj(value)
        if key_padding_mask is not None:
            value = value.masked_fill(key_padding_mask[..., None], 0.0)
        value = value.reshape(batch, keys, self.num_heads, -1)
        samples = (batch, queries, self.num_heads, self.num_levels, self.num_points)
        offsets = self.sampling_offsets(query).reshape(*samples, 2)
        weights = self.attention_weights(query).reshape(*samples[:3], -1)
        weights = weights.softmax(-1).reshape(samples)
        locations = self._locations(reference_points, offsets, shapes)
        out = self.output_proj(
            multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)
        )
        if not self.batch_first:
            out = out.transpose(0, 1)
        dropped: Tensor = self.dropout(out)
        return dropped + identity

    def _locations(self, reference_points: Tensor, offsets: Tensor, shapes: Tensor) -> Tensor:
        """Return the sampling locations, (N, Q, M, L, P, 2), from offsets in pixels."""
        points = reference_points[:, :, None, :, None, :]
        if reference_points.shape[-1] == 2:
            return points + offsets / shapes.flip(-1)[:, None, :]
        check(
            reference_points.shape[-1] == 4,
            type(self).__name__,
            "reference_points must have shape (N, Q, L, 2) or (N, Q, L, 4), "
            f"got {shape(reference_points)}",
        )
        return points[..., :2] + offsets / self.num_points * points[..., 2:] * 0.5
