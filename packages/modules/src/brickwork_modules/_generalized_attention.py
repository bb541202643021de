"""Generalized attention block."""

import math

import torch
import torch.nn.functional as F
from brickwork_init import kaiming_init
from torch import Tensor, nn

from ._registries import PLUGIN_LAYERS

# By channels, the largest side of a feature map that a mask of local attention is stored for.
_MAX_SIDE = {256: 84, 512: 42}
_WAVE_LENGTH = 1000.0


@PLUGIN_LAYERS.register_module()
class GeneralizedAttention(nn.Module):
    """Attention with up to four terms of the contents and positions of query and key.

    Zhu et al., "An Empirical Study of Spatial Attention Mechanisms in Deep Networks",
    https://arxiv.org/abs/1904.05873.

    Args:
        in_channels: Number of channels of input and output.
        spatial_range: Maximum distance of a key in pixels; -1 means no limit. A limit requires
            256 or 512 channels, and feature maps of at most 84 or 42 pixels on a side.
        num_heads: Number of attention heads.
        position_embedding_dim: Number of channels of the embedding of relative positions; -1
            means `in_channels`.
        position_magnitude: Factor of distances.
        kv_stride: Stride of keys and values in pixels.
        q_stride: Stride of queries in pixels; the output is interpolated.
        attention_type: Four digits, 1 for each term used: query and key content, query content
            and relative position, key content, relative position.

    Raises:
        ValueError: If `attention_type` is not four digits of 0 and 1, or `spatial_range` is set
            with another number of channels.

    Example:
        >>> GeneralizedAttention(16, num_heads=4, attention_type='1010')(torch.ones(1, 16, 4, 4)).shape
        torch.Size([1, 16, 4, 4])
    """  # noqa: E501  (the example)

    _abbr_ = "gen_attention_block"

    def __init__(
        self,
        in_channels: int,
        spatial_range: int = -1,
        num_heads: int = 9,
        position_embedding_dim: int = -1,
        position_magnitude: int = 1,
        kv_stride: int = 2,
        q_stride: int = 1,
        attention_type: str = "1111",
    ) -> None:
        super().__init__()
        if len(attention_type) != 4 or {*attention_type} - {"0", "1"}:
            raise ValueError(
                f"attention_type must be four digits of 0 and 1, got {attention_type!r}"
            )
        if spatial_range >= 0 and in_channels not in _MAX_SIDE:
            raise ValueError(
                f"in_channels must be one of {', '.join(map(str, _MAX_SIDE))} for "
                f"spatial_range={spatial_range}, got {in_channels}; use spatial_range=-1 for "
                "attention without a limit"
            )
        self.position_embedding_dim = (
            position_embedding_dim if position_embedding_dim > 0 else in_channels
        )
        self.position_magnitude = position_magnitude
        self.num_heads = num_heads
        self.in_channels = in_channels
        self.spatial_range = spatial_range
        self.kv_stride = kv_stride
        self.q_stride = q_stride
        self.attention_type = [digit == "1" for digit in attention_type]
        self.qk_embed_dim = self.v_dim = in_channels // num_heads
        inner = self.qk_embed_dim * num_heads
        content, query_position, key_content, position = self.attention_type

        if content or query_position:
            self.query_conv = nn.Conv2d(in_channels, inner, 1, bias=False)
        if content or key_content:
            self.key_conv = nn.Conv2d(in_channels, inner, 1, bias=False)
        self.value_conv = nn.Conv2d(in_channels, inner, 1, bias=False)
        if query_position or position:
            self.appr_geom_fc_x = nn.Linear(self.position_embedding_dim // 2, inner, bias=False)
            self.appr_geom_fc_y = nn.Linear(self.position_embedding_dim // 2, inner, bias=False)
        bound = 1.0 / math.sqrt(self.qk_embed_dim * 2)
        if key_content:
            self.appr_bias = nn.Parameter(-2 * bound * torch.rand(inner) + bound)
        if position:
            self.geom_bias = nn.Parameter(-2 * bound * torch.rand(inner) + bound)
        self.proj_conv = nn.Conv2d(inner, in_channels, 1)
        self.gamma = nn.Parameter(torch.zeros(1))
        if spatial_range >= 0:
            self.local_constraint_map = nn.Parameter(
                _out_of_range(_MAX_SIDE[in_channels], spatial_range, kv_stride), requires_grad=False
            )
        self.q_downsample = nn.AvgPool2d(1, q_stride) if q_stride > 1 else None
        self.kv_downsample = nn.AvgPool2d(1, kv_stride) if kv_stride > 1 else None
        self.init_weights()

    def init_weights(self) -> None:
        """Initialize all projections with a Kaiming uniform distribution (slope 1, fan in)."""
        for layer in self.children():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                kaiming_init(
                    layer,
                    a=1,
                    mode="fan_in",
                    nonlinearity="leaky_relu",
                    bias=0,
                    distribution="uniform",
                )

    def get_position_embedding(
        self,
        h: int,
        w: int,
        h_kv: int,
        w_kv: int,
        q_stride: int,
        kv_stride: int,
        device: torch.device,
        dtype: torch.dtype,
        feat_dim: int,
        wave_length: float = _WAVE_LENGTH,
    ) -> tuple[Tensor, Tensor]:
        """Return sine and cosine embeddings of the distances between queries and keys.

        Args:
            h: Height of the queries.
            w: Width of the queries.
            h_kv: Height of the keys.
            w_kv: Width of the keys.
            q_stride: Stride of the queries in pixels.
            kv_stride: Stride of the keys in pixels.
            device: Device of the embeddings.
            dtype: Type of the embeddings.
            feat_dim: Number of channels of both embeddings together.
            wave_length: Largest wavelength in pixels, divided by two pi.

        Returns:
            Embeddings of width (w, w_kv, feat_dim / 2) and height (h, h_kv, feat_dim / 2).
        """
        band = torch.arange(0, feat_dim / 4, device=device, dtype=dtype)
        waves = torch.pow(wave_length, (4.0 / feat_dim) * band)

        def embed(queries: int, keys: int) -> Tensor:
            query = torch.arange(queries, device=device, dtype=dtype) * q_stride
            key = torch.arange(keys, device=device, dtype=dtype) * kv_stride
            distance = (query.unsqueeze(1) - key.unsqueeze(0)) * self.position_magnitude
            angle = distance.unsqueeze(2) / waves
            return torch.cat((angle.sin(), angle.cos()), dim=2)

        return embed(w, w_kv), embed(h, h_kv)

    def forward(self, x_input: Tensor) -> Tensor:
        """Apply attention and add the residual connection.

        Args:
            x_input: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, H, W).
        """
        x_q = x_input if self.q_downsample is None else self.q_downsample(x_input)
        x_kv = x_input if self.kv_downsample is None else self.kv_downsample(x_input)
        n = x_input.shape[0]
        (h, w), (h_kv, w_kv) = x_q.shape[2:], x_kv.shape[2:]

        energy = self._energy(x_q, x_kv)
        if self.attention_type == [False, False, True, False]:  # equal for all queries
            h, w = 1, 1
        if self.spatial_range >= 0:
            out_of_range = self.local_constraint_map[:h, :w, :h_kv, :w_kv]
            energy = energy.masked_fill(
                out_of_range.reshape(h * w, h_kv * w_kv).bool(), float("-inf")
            )
        attention = F.softmax(energy, 3)
        output = torch.matmul(attention, self._heads(self.value_conv(x_kv)))
        output = output.transpose(2, 3).reshape(n, self.v_dim * self.num_heads, h, w)
        output = self.proj_conv(output)
        if self.q_downsample is not None:
            output = F.interpolate(
                output, size=x_input.shape[2:], mode="bilinear", align_corners=False
            )
        return self.gamma * output + x_input

    def _heads(self, x: Tensor) -> Tensor:
        """Reshape ``(N, heads * D, H, W)`` to ``(N, heads, H * W, D)``."""
        n, channels, h, w = x.shape
        shape = (n, self.num_heads, channels // self.num_heads, h * w)
        return x.reshape(shape).transpose(2, 3)

    def _energy(self, x_q: Tensor, x_kv: Tensor) -> Tensor:
        """Return the sum of the terms, (N or 1, heads, queries or 1, keys).

        Terms with the same key are computed as one product with the sum of their queries.
        """
        content, query_position, key_content, position = self.attention_type
        query = self._heads(self.query_conv(x_q)) if content or query_position else None
        terms: list[Tensor] = []
        if content or key_content:
            combined = self._add_bias(
                query if content else None, self.appr_bias if key_content else None
            )
            terms.append(torch.matmul(combined, self._heads(self.key_conv(x_kv)).mT))
        if query_position or position:
            combined = self._add_bias(
                query if query_position else None, self.geom_bias if position else None
            )
            terms.append(self._position_energy(combined, x_q, x_kv))
        if not terms:
            sizes = [x.shape[2] * x.shape[3] for x in (x_q, x_kv)]
            return x_q.new_zeros((1, self.num_heads, *sizes))
        return sum(terms[1:], terms[0])

    def _add_bias(self, query: Tensor | None, bias: Tensor | None) -> Tensor:
        """Add a bias ``(heads * D,)`` to a query ``(N, heads, H * W, D)``; either may be None."""
        shape = (1, self.num_heads, 1, self.qk_embed_dim)
        if query is None or bias is None:
            return bias.view(shape) if bias is not None else query  # type: ignore[return-value]  # one of them is not None
        return query + bias.view(shape)

    def _position_energy(self, query: Tensor, x_q: Tensor, x_kv: Tensor) -> Tensor:
        """Return the terms of relative positions: a part for the width plus one for the height."""
        (h, w), (h_kv, w_kv) = x_q.shape[2:], x_kv.shape[2:]
        embeddings = self.get_position_embedding(
            h,
            w,
            h_kv,
            w_kv,
            self.q_stride,
            self.kv_stride,
            x_q.device,
            x_q.dtype,
            self.position_embedding_dim,
        )
        # (heads, w, D, w_kv) and (heads, h, D, h_kv)
        along_x, along_y = (
            (layer(embedding) / math.sqrt(2))
            .unflatten(2, (self.num_heads, self.qk_embed_dim))
            .permute(2, 0, 3, 1)
            for layer, embedding in zip(
                (self.appr_geom_fc_x, self.appr_geom_fc_y), embeddings, strict=True
            )
        )
        rows, columns = (
            (h, w) if self.attention_type[1] else (1, 1)
        )  # a bias is the same for all queries
        shape = (query.shape[0], self.num_heads, rows, columns, self.qk_embed_dim)
        query = query.reshape(shape)
        energy_x = torch.matmul(query.transpose(2, 3), along_x).transpose(2, 3)  # (.., h, w, w_kv)
        energy_y = torch.matmul(query, along_y)  # (.., h, w, h_kv)
        energy = energy_x.unsqueeze(4) + energy_y.unsqueeze(5)
        return energy.expand(-1, -1, h, w, -1, -1).flatten(4).flatten(2, 3)


def _out_of_range(side: int, spatial_range: int, kv_stride: int) -> Tensor:
    """Return a mask (side, side, keys, keys) of bytes, 1 for keys that are out of range."""
    keys = torch.arange(int((side - 1) / kv_stride + 1))
    query = torch.arange(side).unsqueeze(1)
    first = torch.div(query - spatial_range, kv_stride, rounding_mode="floor")
    last = torch.div(query + spatial_range + 1, kv_stride, rounding_mode="floor")
    near = (keys >= first) & (keys <= last)  # (side, keys)
    inside = near[:, None, :, None] & near[None, :, None, :]
    return (~inside).byte()
