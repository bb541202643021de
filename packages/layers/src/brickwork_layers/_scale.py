"""Learnt factors."""

import torch
from torch import Tensor, nn

from ._grn import check_data_format
from ._typing import DataFormat


class Scale(nn.Module):
    """Multiply by one learnt number.

    Args:
        scale: What it starts at.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale, dtype=torch.float))

    def forward(self, x: Tensor) -> Tensor:
        """Scale.

        Args:
            x: Tensor of any shape.

        Returns:
            Tensor of the same shape.
        """
        return x * self.scale


class LayerScale(nn.Module):
    """Multiply each channel by a learnt number (CaiT, https://arxiv.org/abs/2103.17239).

    Args:
        dim: Channels of the input.
        inplace: Whether to overwrite the input.
        data_format: ``'channels_last'`` for (N, ..., C), or ``'channels_first'`` for (N, C, H, W).
        scale: What the numbers start at.

    Raises:
        ValueError: If `data_format` is neither.
    """

    def __init__(
        self,
        dim: int,
        inplace: bool = False,
        data_format: DataFormat = "channels_last",
        scale: float = 1e-5,
    ) -> None:
        super().__init__()
        check_data_format(data_format)
        self.inplace = inplace
        shape = (dim, 1, 1) if data_format == "channels_first" else (dim,)
        self.weight = nn.Parameter(torch.full(shape, scale))

    def forward(self, x: Tensor) -> Tensor:
        """Scale.

        Args:
            x: Tensor, see `data_format`.

        Returns:
            Tensor of the same shape.
        """
        return x.mul_(self.weight) if self.inplace else x * self.weight

    def extra_repr(self) -> str:
        """Tell the shape."""
        return f"{tuple(self.weight.shape)}, inplace={self.inplace}"
