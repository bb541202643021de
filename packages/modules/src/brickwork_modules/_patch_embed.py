"""Embedding of the patches of an image."""

from typing import Any

from brickwork_base import BaseModule
from brickwork_layers import build_conv_layer, build_norm_layer
from torch import Tensor, nn

from ._adaptive_padding import AdaptivePadding
from ._pair import pair
from ._typing import Config, Size2d


def split_padding(
    padding: Size2d | str, kernel_size: Size2d, stride: Size2d, dilation: Size2d
) -> tuple[AdaptivePadding | None, tuple[int, int]]:
    """Return an `AdaptivePadding` and (0, 0) for its mode; None and the padding for a size."""
    if isinstance(padding, str):
        return AdaptivePadding(kernel_size, stride, dilation, padding), (0, 0)
    return None, pair(padding)


def output_size(size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> int:
    """Return the output size of a convolution in one dimension."""
    return (size + 2 * padding - dilation * (kernel_size - 1) - 1) // stride + 1


class PatchEmbed(BaseModule):
    """Embedding of the patches of an image by a convolution.

    Args:
        in_channels: Number of channels of the image.
        embed_dims: Number of channels of the embeddings.
        conv_type: Type of the convolution.
        kernel_size: Size of a patch.
        stride: Stride between patches. None means `kernel_size`.
        padding: Padding added to both sides, or mode of `AdaptivePadding`: ``'corner'``,
            ``'same'``.
        dilation: Spacing between the pixels of a patch.
        bias: Whether to add a learnable bias.
        norm_cfg: Config of a norm of the embeddings. None means no norm.
        input_size: Size (H, W) of the image, if it is known; then ``init_out_size`` is the number
            of patches (rows, columns).
        init_cfg: Config of the initialization.

    Example:
        >>> patches, size = PatchEmbed(embed_dims=8)(torch.ones(1, 3, 224, 200))
        >>> patches.shape, size
        (torch.Size([1, 182, 8]), (14, 13))
    """

    def __init__(
        self,
        in_channels: int = 3,
        embed_dims: int = 768,
        conv_type: str = "Conv2d",
        kernel_size: Size2d = 16,
        stride: Size2d | None = 16,
        padding: Size2d | str = "corner",
        dilation: Size2d = 1,
        bias: bool = True,
        norm_cfg: Config | None = None,
        input_size: Size2d | None = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.embed_dims = embed_dims
        kernel_size = pair(kernel_size)
        stride = kernel_size if stride is None else pair(stride)
        dilation = pair(dilation)
        self.adaptive_padding, conv_padding = split_padding(padding, kernel_size, stride, dilation)
        self.projection = build_conv_layer(
            {"type": conv_type},
            in_channels=in_channels,
            out_channels=embed_dims,
            kernel_size=kernel_size,
            stride=stride,
            padding=conv_padding,
            dilation=dilation,
            bias=bias,
        )
        self.norm: nn.Module | None = (
            None if norm_cfg is None else build_norm_layer(norm_cfg, embed_dims)[1]
        )
        self.init_input_size: tuple[int, int] | None = None
        self.init_out_size: tuple[int, int] | None = None
        if input_size:
            self.init_input_size = pair(input_size)
            height, width = self.init_input_size
            if self.adaptive_padding is not None:
                pad_h, pad_w = self.adaptive_padding.get_pad_shape(self.init_input_size)
                height, width = height + pad_h, width + pad_w
            self.init_out_size = (
                output_size(height, kernel_size[0], stride[0], conv_padding[0], dilation[0]),
                output_size(width, kernel_size[1], stride[1], conv_padding[1], dilation[1]),
            )

    def forward(self, x: Tensor) -> tuple[Tensor, tuple[int, int]]:
        """Embed the patches of images.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Embeddings ``(N, rows * columns, embed_dims)``, and (rows, columns).
        """
        if self.adaptive_padding is not None:
            x = self.adaptive_padding(x)
        x = self.projection(x)
        out_size = (x.shape[2], x.shape[3])
        x = x.flatten(2).transpose(1, 2)
        if self.norm is not None:
            x = self.norm(x)
        return x, out_size
