"""Merging of neighboring patches."""

from collections.abc import Sequence
from typing import Any

from brickwork_base import BaseModule
from brickwork_layers import build_norm_layer
from brickwork_registry.errors import ArgumentTypeError, ArgumentValueError
from torch import Tensor, nn

from ._pair import pair
from ._patch_embed import output_size, split_padding
from ._typing import Config, Size2d


class PatchMerging(BaseModule):
    """Concatenation of neighboring patches, a norm and a linear layer (Swin).

    The channels of a merged patch are ordered as by `torch.nn.Unfold`: by channel, then by
    position. The original Swin orders by position first; its checkpoints have to be permuted.

    Args:
        in_channels: Number of channels of a patch.
        out_channels: Number of channels of a merged patch.
        kernel_size: Number of patches to merge in each dimension.
        stride: Stride between merged patches. None means `kernel_size`.
        padding: Padding added to both sides, or mode of `AdaptivePadding`: ``'corner'``,
            ``'same'``.
        dilation: Spacing between the patches that are merged.
        bias: Whether the linear layer has a bias.
        norm_cfg: Config of the norm before it. None means no norm.
        init_cfg: Config of the initialization.

    Example:
        >>> merged, size = PatchMerging(4, 8)(torch.ones(1, 6 * 7, 4), (6, 7))
        >>> merged.shape, size
        (torch.Size([1, 12, 8]), (3, 4))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2d = 2,
        stride: Size2d | None = None,
        padding: Size2d | str = "corner",
        dilation: Size2d = 1,
        bias: bool = False,
        norm_cfg: Config | None = {"type": "LN"},  # noqa: B006  (mmcv's default, never changed)
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg=init_cfg)
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(kernel_size)
        self.stride = pair(stride) if stride else self.kernel_size
        self.dilation = pair(dilation)
        self.adaptive_padding, self.padding = split_padding(
            padding, self.kernel_size, self.stride, self.dilation
        )
        self.sampler = nn.Unfold(self.kernel_size, self.dilation, self.padding, self.stride)
        merged = self.kernel_size[0] * self.kernel_size[1] * in_channels
        self.norm: nn.Module | None = (
            None if norm_cfg is None else build_norm_layer(norm_cfg, merged)[1]
        )
        self.reduction = nn.Linear(merged, out_channels, bias=bias)

    def forward(self, x: Tensor, input_size: Sequence[int]) -> tuple[Tensor, tuple[int, int]]:
        """Merge patches.

        Args:
            x: Tensor ``(N, H * W, C_in)``.
            input_size: (H, W).

        Returns:
            The merged patches ``(N, rows * columns, C_out)``, and (rows, columns).

        Raises:
            TypeError: If `input_size` is not a sequence.
            ValueError: If `x` does not have H * W patches.
        """
        if not isinstance(input_size, Sequence):
            raise ArgumentTypeError(f"input_size must be (height, width), got {input_size!r}")
        height, width = input_size
        if x.shape[1] != height * width:
            raise ArgumentValueError(
                f"input_size must be the height and width of the {x.shape[1]} patches, got "
                f"{height} x {width} = {height * width}"
            )
        x = x.unflatten(1, (height, width)).permute(0, 3, 1, 2)  # type: ignore[no-untyped-call]
        if self.adaptive_padding is not None:
            x = self.adaptive_padding(x)
            height, width = x.shape[-2:]
        rows, columns = (
            output_size(size, *window)
            for size, *window in zip(
                (height, width),
                self.kernel_size,
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        x = self.sampler(x).transpose(1, 2)  # (N, rows * columns, merged)
        if self.norm is not None:
            x = self.norm(x)
        return self.reduction(x), (rows, columns)
