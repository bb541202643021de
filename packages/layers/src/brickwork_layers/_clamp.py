"""Clamping as an activation."""

import torch
from torch import Tensor, nn


class Clamp(nn.Module):
    """Clamp every element to [min, max].

    Args:
        min: Lower bound, or None.
        max: Upper bound, or None.

    Raises:
        ValueError: If both bounds are None.
    """

    def __init__(self, min: float | None = -1.0, max: float | None = 1.0) -> None:  # noqa: A002  (mmcv's names)
        super().__init__()
        if min is None and max is None:
            raise ValueError("min and max must not both be None")
        self.min = min
        self.max = max

    def forward(self, x: Tensor) -> Tensor:
        """Clamp the input.

        Args:
            x: Tensor ``(*)``.

        Returns:
            Tensor of the same shape.
        """
        return torch.clamp(x, min=self.min, max=self.max)

    def extra_repr(self) -> str:
        """Return the bounds."""
        return f"min={self.min}, max={self.max}"
