"""Global context block."""

from collections.abc import Sequence

import torch
from brickwork_init import constant_init, kaiming_init
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn

from ._registries import PLUGIN_LAYERS

_FUSIONS = {"channel_add", "channel_mul"}


@PLUGIN_LAYERS.register_module()
class ContextBlock(nn.Module):
    """Global context block: a pooled context vector is added to, or scales, every position.

    Cao et al., "GCNet: Non-local Networks Meet Squeeze-Excitation Networks and Beyond",
    https://arxiv.org/abs/1904.11492.

    Args:
        in_channels: Number of channels of input and output.
        ratio: Ratio of the hidden channels to `in_channels`.
        pooling_type: ``'att'`` for attention pooling, ``'avg'`` for average pooling.
        fusion_types: ``'channel_add'``, ``'channel_mul'`` or both.

    Raises:
        ValueError: If a type is unknown, or `fusion_types` is empty.

    Example:
        >>> ContextBlock(16, ratio=1 / 4)(torch.ones(1, 16, 4, 4)).shape
        torch.Size([1, 16, 4, 4])
    """

    _abbr_ = "context_block"

    def __init__(
        self,
        in_channels: int,
        ratio: float,
        pooling_type: str = "att",
        fusion_types: Sequence[str] = ("channel_add",),
    ) -> None:
        super().__init__()
        if pooling_type not in ("att", "avg"):
            raise ArgumentValueError(f"pooling_type must be 'att' or 'avg', got {pooling_type!r}")
        if not fusion_types or isinstance(fusion_types, str) or {*fusion_types} - _FUSIONS:
            raise ArgumentValueError(
                "fusion_types must be a sequence of 'channel_add', 'channel_mul' or both, got "
                f"{fusion_types!r}"
            )
        self.in_channels = in_channels
        self.ratio = ratio
        self.planes = int(in_channels * ratio)
        self.pooling_type = pooling_type
        self.fusion_types = fusion_types
        if pooling_type == "att":
            self.conv_mask = nn.Conv2d(in_channels, 1, kernel_size=1)
            self.softmax = nn.Softmax(dim=2)
        else:
            self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.channel_add_conv = self._transform() if "channel_add" in fusion_types else None
        self.channel_mul_conv = self._transform() if "channel_mul" in fusion_types else None
        self.reset_parameters()

    def _transform(self) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(self.in_channels, self.planes, kernel_size=1),
            nn.LayerNorm([self.planes, 1, 1]),
            nn.ReLU(inplace=True),
            nn.Conv2d(self.planes, self.in_channels, kernel_size=1),
        )

    def reset_parameters(self) -> None:
        """Initialize the attention, and the last layer of each transform to zero."""
        if self.pooling_type == "att":
            kaiming_init(self.conv_mask, mode="fan_in")
        for transform in (self.channel_add_conv, self.channel_mul_conv):
            if transform is not None:
                constant_init(transform[-1], val=0)

    def spatial_pool(self, x: Tensor) -> Tensor:
        """Pool over all positions.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, 1, 1).
        """
        if self.pooling_type == "avg":
            pooled: Tensor = self.avg_pool(x)
            return pooled
        weight = self.softmax(self.conv_mask(x).flatten(2)).transpose(1, 2)  # (N, H * W, 1)
        return torch.matmul(x.flatten(2), weight).unsqueeze(-1)

    def forward(self, x: Tensor) -> Tensor:
        """Add the context to every position, or scale by it.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, H, W).
        """
        context = self.spatial_pool(x)
        out = x
        if self.channel_mul_conv is not None:
            out = out * torch.sigmoid(self.channel_mul_conv(context))
        if self.channel_add_conv is not None:
            out = out + self.channel_add_conv(context)
        return out
