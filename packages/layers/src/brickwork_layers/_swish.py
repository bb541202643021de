"""Swish."""

import torch
from torch import Tensor, nn


class Swish(nn.Module):
    """Swish: x * sigmoid(x) (Ramachandran et al., https://arxiv.org/abs/1710.05941).

    The same function as `torch.nn.SiLU`, written out as mmcv does.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """Activate.

        Args:
            x: Tensor of any shape.

        Returns:
            Tensor of the same shape.
        """
        return x * torch.sigmoid(x)
