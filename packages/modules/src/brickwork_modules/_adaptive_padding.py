"""Padding so that windows cover the whole input."""

from collections.abc import Sequence

import torch.nn.functional as F
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn

from ._pair import pair
from ._typing import Size2d


class AdaptivePadding(nn.Module):
    """Zero padding of an image so that ceil(size / stride) windows cover it.

    Args:
        kernel_size: Size of the window.
        stride: Stride of the window.
        dilation: Spacing between the elements of the window.
        padding: ``'corner'`` pads at the bottom and right, ``'same'`` on both sides, with one more
            at the bottom and right if the amount is odd.

    Raises:
        ValueError: If `padding` is neither.

    Example:
        >>> AdaptivePadding(kernel_size=16, stride=16)(torch.ones(1, 1, 15, 17)).shape
        torch.Size([1, 1, 16, 32])
    """

    def __init__(
        self,
        kernel_size: Size2d = 1,
        stride: Size2d = 1,
        dilation: Size2d = 1,
        padding: str = "corner",
    ) -> None:
        super().__init__()
        if padding not in ("same", "corner"):
            raise ArgumentValueError(f"padding must be 'same' or 'corner', got {padding!r}")
        self.padding = padding
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride)
        self.dilation = pair(dilation)

    def get_pad_shape(self, input_shape: Sequence[int]) -> tuple[int, int]:
        """Return the amount of padding for an input.

        Args:
            input_shape: (H, W) of the input.

        Returns:
            The padding of height and width, both sides together.
        """
        height, width = (
            # `-(-size // stride)` is the ceiling; it remains an integer in an exported graph.
            max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
            for size, kernel, stride, dilation in zip(
                input_shape, self.kernel_size, self.stride, self.dilation, strict=True
            )
        )
        return height, width

    def forward(self, x: Tensor) -> Tensor:
        """Pad the input.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, H_out, W_out).
        """
        pad_h, pad_w = self.get_pad_shape(x.shape[-2:])
        if pad_h > 0 or pad_w > 0:
            top, left = (pad_h // 2, pad_w // 2) if self.padding == "same" else (0, 0)
            x = F.pad(x, [left, pad_w - left, top, pad_h - top])
        return x
