"""Learnable scale factors."""

import torch
from torch import Tensor, nn

from ._grn import check_data_format
from ._typing import DataFormat


class Scale(nn.Module):
    """Multiply by a learnable scalar.

    Args:
        scale: Initial value.
    """

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(scale, dtype=torch.float))

    def forward(self, x: Tensor) -> Tensor:
        """Scale the input.

        Args:
            x: Tensor ``(*)``.

        Returns:
            Tensor ``(*)``.
        """
        return x * self.scale


class LayerScale(nn.Module):
    """Multiply each channel by a learnable factor (CaiT, https://arxiv.org/abs/2103.17239).

    Args:
        dim: Number of channels of the input.
        inplace: Whether to overwrite the input.
        data_format: ``'channels_last'`` for ``(N, *, C)`` or ``'channels_first'`` for (N, C, H, W).
        scale: Initial value of the factors.

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
        """Scale the input.

        Args:
            x: Tensor ``(N, *, C)`` or (N, C, H, W), see `data_format`.

        Returns:
            Tensor of the same shape.
        """
        return x.mul_(self.weight) if self.inplace else x * self.weight

    def extra_repr(self) -> str:
        """Return the shape of the factors."""
        return f"{tuple(self.weight.shape)}, inplace={self.inplace}"
