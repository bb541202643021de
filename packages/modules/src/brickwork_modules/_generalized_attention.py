"""Generalized attention block."""

import math

import torch
import torch.nn.functional as F
from brickwork_init import kaiming_init
from torch import Tensor, nn

from ._registries import PLUGIN_LAYERS

# The largest feature map (one side) that a mask of local attention is stored for.
_MAX_SIDE = {256: 84, 512: 42}
_WAVE_LENGTH = 1000.0


@PLUGIN_LAYERS.register_module()
class GeneralizedAttention(nn.Module):
    """Attention with up to four terms: what is there and where it is, of query and key.

    Zhu et al., "An Empirical Study of Spatial Attention Mechanisms in Deep Networks",
    https://arxiv.org/abs/1904.05873.

    Args:
        in_channels: Channels of the input, and of the output.
        spatial_range: Distance beyond which a key is not attended to; -1: none. Only with 256 or
            512 channels, and feature maps of up to 84 or 42 pixels on a side.
        num_heads: Number of attention heads.
        position_embedding_dim: Channels of the embedding of relative positions; -1: those of the
            input.
        position_magnitude: What to multiply distances by.
        kv_stride: Step between the keys, in pixels.
        q_stride: Step between the queries, in pixels; the result is interpolated.
        attention_type: Four digits, 1 for each term used: query and key content, query content
            and relative position, key content, relative position.

    Raises:
        ValueError: If `attention_type` is no four digits of 0 and 1, or `spatial_range` is given
            with other channels.

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
                f"attention_type must be four digits of 0 and 1, but got {attention_type!r}"
            )
        if spatial_range >= 0 and in_channels not in _MAX_SIDE:
            raise ValueError(
                f"spatial_range={spatial_range} needs in_channels to be one of "
                f"{', '.join(map(str, _MAX_SIDE))}, but got {in_channels}; "
                "leave spatial_range at -1 for attention without a range"
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
                _outside(_MAX_SIDE[in_channels], spatial_range, kv_stride), requires_grad=False
            )
        self.q_downsample = nn.AvgPool2d(1, q_stride) if q_stride > 1 else None
        self.kv_downsample = nn.AvgPool2d(1, kv_stride) if kv_stride > 1 else None
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the weights of all projections (uniform He with slope 1, by the fan in)."""
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
        """Embed the distances of queries and keys by sines and cosines.

        Args:
            h: Rows of queries.
            w: Columns of queries.
            h_kv: Rows of keys.
            w_kv: Columns of keys.
            q_stride: Step between queries, in pixels.
            kv_stride: Step between keys, in pixels.
            device: Where to make the embeddings.
            dtype: Of which type.
            feat_dim: Channels of the two embeddings together.
            wave_length: The longest wave, in pixels, divided by two pi.

        Returns:
            Those along the width (w, w_kv, feat_dim / 2) and the height (h, h_kv, feat_dim / 2).
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
        """Add to each position what it attends to.

        Args:
            x_input: Tensor (N, C, H, W).

        Returns:
            Tensor of the same shape.
        """
        x_q = x_input if self.q_downsample is None else self.q_downsample(x_input)
        x_kv = x_input if self.kv_downsample is None else self.kv_downsample(x_input)
        n = x_input.shape[0]
        (h, w), (h_kv, w_kv) = x_q.shape[2:], x_kv.shape[2:]

        energy = self._energy(x_q, x_kv)
        if self.attention_type == [False, False, True, False]:  # the same for all queries
            h, w = 1, 1
        if self.spatial_range >= 0:
            outside = self.local_constraint_map[:h, :w, :h_kv, :w_kv]
            energy = energy.masked_fill(outside.reshape(h * w, h_kv * w_kv).bool(), float("-inf"))
        attention = F.softmax(energy, 3)
        out = torch.matmul(attention, self._heads(self.value_conv(x_kv)))
        out = out.transpose(2, 3).reshape(n, self.v_dim * self.num_heads, h, w)
        out = self.proj_conv(out)
        if self.q_downsample is not None:
            out = F.interpolate(out, size=x_input.shape[2:], mode="bilinear", align_corners=False)
        return self.gamma * out + x_input

    def _heads(self, x: Tensor) -> Tensor:
        """From (N, heads * D, H, W) to (N, heads, H * W, D)."""
        n, channels, h, w = x.shape
        shape = (n, self.num_heads, channels // self.num_heads, h * w)
        return x.reshape(shape).transpose(2, 3)

    def _energy(self, x_q: Tensor, x_kv: Tensor) -> Tensor:
        """The sum of the terms, (N or 1, heads, queries or 1, keys).

        Terms that share their key are one product of the sum of their queries.
        """
        content, query_position, key_content, position = self.attention_type
        query = self._heads(self.query_conv(x_q)) if content or query_position else None
        terms: list[Tensor] = []
        if content or key_content:
            wanted = self._plus(query if content else None, self.appr_bias if key_content else None)
            terms.append(torch.matmul(wanted, self._heads(self.key_conv(x_kv)).mT))
        if query_position or position:
            wanted = self._plus(
                query if query_position else None, self.geom_bias if position else None
            )
            terms.append(self._position_energy(wanted, x_q, x_kv))
        if not terms:
            sizes = [x.shape[2] * x.shape[3] for x in (x_q, x_kv)]
            return x_q.new_zeros((1, self.num_heads, *sizes))
        return sum(terms[1:], terms[0])

    def _plus(self, query: Tensor | None, bias: Tensor | None) -> Tensor:
        """Query content (N, heads, H * W, D) plus a bias (heads * D,); either may be missing."""
        shape = (1, self.num_heads, 1, self.qk_embed_dim)
        if query is None or bias is None:
            return bias.view(shape) if bias is not None else query  # type: ignore[return-value]  # one is there
        return query + bias.view(shape)

    def _position_energy(self, query: Tensor, x_q: Tensor, x_kv: Tensor) -> Tensor:
        """The terms of relative positions: a part along the width plus one along the height."""
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
        rows, columns = (h, w) if self.attention_type[1] else (1, 1)  # a bias is for all queries
        shape = (query.shape[0], self.num_heads, rows, columns, self.qk_embed_dim)
        query = query.reshape(shape)
        energy_x = torch.matmul(query.transpose(2, 3), along_x).transpose(2, 3)  # (.., h, w, w_kv)
        energy_y = torch.matmul(query, along_y)  # (.., h, w, h_kv)
        energy = energy_x.unsqueeze(4) + energy_y.unsqueeze(5)
        return energy.expand(-1, -1, h, w, -1, -1).flatten(4).flatten(2, 3)


def _outside(side: int, spatial_range: int, kv_stride: int) -> Tensor:
    """Which keys are too far from which queries: bytes (side, side, keys, keys), 1 outside."""
    keys = torch.arange(int((side - 1) / kv_stride + 1))
    query = torch.arange(side).unsqueeze(1)
    first = torch.div(query - spatial_range, kv_stride, rounding_mode="floor")
    last = torch.div(query + spatial_range + 1, kv_stride, rounding_mode="floor")
    near = (keys >= first) & (keys <= last)  # (side, keys)
    inside = near[:, None, :, None] & near[None, :, None, :]
    return (~inside).byte()
