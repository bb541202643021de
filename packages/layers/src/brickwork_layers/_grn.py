"""Global response normalization."""

import torch
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn

from ._typing import DataFormat


class GRN(nn.Module):
    """Global response normalization (Woo et al., ConvNeXt V2, https://arxiv.org/abs/2301.00808).

    With g the L2 norm of each channel over all positions, the output is
    gamma * x * g / (mean(g) + eps) + beta + x. Gamma and beta are initialized to 0, which makes
    the layer the identity.

    Args:
        in_channels: Number of channels of the input.
        eps: Added to the mean norm.
        data_format: ``'channels_first'``, ``(N, C, *)``, or ``'channels_last'``, ``(N, *, C)``.

    Raises:
        ValueError: If `data_format` is neither.
    """

    _abbr_ = "grn"

    def __init__(
        self,
        in_channels: int,
        eps: float = 1e-6,
        *,
        data_format: DataFormat = "channels_first",
    ) -> None:
        super().__init__()
        check_data_format(data_format)
        self.in_channels = in_channels
        self.eps = eps
        self.channels_first = data_format == "channels_first"
        self.gamma = nn.Parameter(torch.zeros(in_channels))
        self.beta = nn.Parameter(torch.zeros(in_channels))

    def forward(self, x: Tensor) -> Tensor:
        """Normalize the input.

        Args:
            x: Tensor ``(N, C, *)`` or ``(N, *, C)``, see `data_format`.

        Returns:
            Tensor of the same shape.
        """
        if self.channels_first:
            return self._normalize(x.movedim(1, -1)).movedim(-1, 1)
        return self._normalize(x)

    def _normalize(self, x: Tensor) -> Tensor:
        positions = list(range(1, x.dim() - 1))
        response = torch.linalg.vector_norm(x, dim=positions, keepdim=True)
        response = response / (response.mean(dim=-1, keepdim=True) + self.eps)
        output: Tensor = self.gamma * (x * response) + self.beta + x
        return output

    def extra_repr(self) -> str:
        """Return number of channels and eps."""
        return f"{self.in_channels}, eps={self.eps}"


def check_data_format(data_format: str) -> None:
    """Raise a ValueError for an unknown data format."""
    if data_format not in ("channels_first", "channels_last"):
        raise ArgumentValueError(
            f"data_format must be 'channels_first' or 'channels_last', got {data_format!r}"
        )
