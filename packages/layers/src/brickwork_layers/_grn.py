"""Global response normalisation."""

import torch
from torch import Tensor, nn

from ._typing import DataFormat


class GRN(nn.Module):
    """Global response normalisation (Woo et al., ConvNeXt V2, https://arxiv.org/abs/2301.00808).

    With g the L2 norm of each channel over all positions: gamma * x * g / (mean(g) + eps) + beta
    + x. Gamma and beta start at 0, where the layer is the identity.

    Args:
        in_channels: Channels of the input.
        eps: Added to the mean norm.
        data_format: ``'channels_first'`` for (N, C, ...) or ``'channels_last'`` for (N, ..., C).

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
        """Normalise.

        Args:
            x: Tensor with any number of positions, see `data_format`.

        Returns:
            Tensor of the same shape.
        """
        if self.channels_first:
            return self._normalise(x.movedim(1, -1)).movedim(-1, 1)
        return self._normalise(x)

    def _normalise(self, x: Tensor) -> Tensor:
        positions = list(range(1, x.dim() - 1))
        response = torch.linalg.vector_norm(x, dim=positions, keepdim=True)
        response = response / (response.mean(dim=-1, keepdim=True) + self.eps)
        out: Tensor = self.gamma * (x * response) + self.beta + x
        return out

    def extra_repr(self) -> str:
        """Tell the channels and eps."""
        return f"{self.in_channels}, eps={self.eps}"


def check_data_format(data_format: str) -> None:
    """Refuse what is no data format.

    Args:
        data_format: The value to check.

    Raises:
        ValueError: If it is neither of the two.
    """
    if data_format not in ("channels_first", "channels_last"):
        raise ValueError(
            f"data_format must be 'channels_first' or 'channels_last', but got {data_format!r}"
        )
