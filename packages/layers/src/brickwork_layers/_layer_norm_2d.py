"""Layer norm over the channels of a feature map."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm2d(nn.LayerNorm):
    """Layer norm over the channels at each position of a feature map (ConvNeXt).

    See Liu et al., "A ConvNet for the 2020s", https://arxiv.org/abs/2201.03545.

    Args:
        num_channels: Number of channels of the input.
        eps: Added to the variance.
        elementwise_affine: Whether to have a learnable weight and bias.
        bias: Whether to have a learnable bias.
        device: Device of the parameters.
        dtype: Type of the parameters.
    """

    def __init__(
        self,
        num_channels: int,
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__(num_channels, eps, elementwise_affine, bias, device, dtype)
        self.num_channels = num_channels

    def forward(self, x: Tensor) -> Tensor:
        """Normalize the input.

        Args:
            x: Tensor ``(N, C, *)``.

        Returns:
            Tensor ``(N, C, *)``.
        """
        channels_last = x.movedim(1, -1)
        normed = F.layer_norm(
            channels_last, self.normalized_shape, self.weight, self.bias, self.eps
        )
        return normed.movedim(-1, 1)
