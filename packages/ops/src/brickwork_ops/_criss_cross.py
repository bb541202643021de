"""Criss-cross attention of CCNet, https://arxiv.org/abs/1811.11721."""

import torch
from brickwork_layers import Scale
from torch import Tensor, nn


class CrissCrossAttention(nn.Module):
    """Attention of each pixel over its row and its column.

    Args:
        in_channels: Number of channels in the input.
    """

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.query_conv = nn.Conv2d(in_channels, in_channels // 8, 1)
        self.key_conv = nn.Conv2d(in_channels, in_channels // 8, 1)
        self.value_conv = nn.Conv2d(in_channels, in_channels, 1)
        self.gamma = Scale(0.0)
        self.in_channels = in_channels

    def forward(self, x: Tensor) -> Tensor:
        """Attend.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, H, W).
        """
        height = x.shape[2]
        query, key, value = self.query_conv(x), self.key_conv(x), self.value_conv(x)
        along_column = torch.einsum("nchw,nciw->nhwi", query, key)
        along_row = torch.einsum("nchw,nchj->nhwj", query, key)
        # A pixel is in its own row and column; it counts once, in its row.
        itself = torch.eye(height, dtype=torch.bool, device=x.device)[:, None]
        along_column = along_column.masked_fill(itself, -torch.inf)
        attention = torch.cat([along_column, along_row], -1).softmax(-1)
        out = torch.einsum("nciw,nhwi->nchw", value, attention[..., :height])
        out = out + torch.einsum("nchj,nhwj->nchw", value, attention[..., height:])
        scaled: Tensor = self.gamma(out)
        return (scaled + x).contiguous()

    def extra_repr(self) -> str:
        """Return the arguments."""
        return f"in_channels={self.in_channels}"
