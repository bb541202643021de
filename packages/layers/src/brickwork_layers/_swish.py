"""Swish activation."""

import torch
from torch import Tensor, nn


class Swish(nn.Module):
    """Swish: x * sigmoid(x) (Ramachandran et al., https://arxiv.org/abs/1710.05941).

    It computes the function of `torch.nn.SiLU` with the operations of mmcv.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """Apply the activation.

        Args:
            x: Tensor ``(*)``.

        Returns:
            Tensor ``(*)``.
        """
        return x * torch.sigmoid(x)
