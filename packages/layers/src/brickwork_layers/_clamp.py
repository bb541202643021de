"""The clamp as an activation."""

import torch
from torch import Tensor, nn


class Clamp(nn.Module):
    """Limit each value to [min, max].

    Args:
        min: The lower limit; None for none.
        max: The upper limit; None for none.

    Raises:
        ValueError: If there is no limit at all.
    """

    def __init__(self, min: float | None = -1.0, max: float | None = 1.0) -> None:  # noqa: A002  (mmcv's names)
        super().__init__()
        if min is None and max is None:
            raise ValueError("Clamp needs a limit: min and max are both None")
        self.min = min
        self.max = max

    def forward(self, x: Tensor) -> Tensor:
        """Clamp.

        Args:
            x: Tensor of any shape.

        Returns:
            Tensor of the same shape.
        """
        return torch.clamp(x, min=self.min, max=self.max)

    def extra_repr(self) -> str:
        """Tell the limits."""
        return f"min={self.min}, max={self.max}"
