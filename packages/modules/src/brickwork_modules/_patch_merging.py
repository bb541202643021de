"""Fewer, wider patches out of many."""

from collections.abc import Sequence
from typing import Any

from brickwork_base import BaseModule
from brickwork_layers import build_norm_layer
from torch import Tensor, nn

from ._pair import pair
from ._patch_embed import adapt, windows
from ._typing import Config, Size2d


class PatchMerging(BaseModule):
    """Neighbouring patches joined into one, normed and mapped to fewer channels (Swin).

    The channels of a joined patch are ordered as `torch.nn.Unfold` does: by channel first, then
    by place. Swin's own order is by place first; its checkpoints have to be permuted.

    Args:
        in_channels: Channels of a patch.
        out_channels: Channels of a joined patch.
        kernel_size: How many patches to join along each side.
        stride: Step between joined patches. None: `kernel_size`.
        padding: Zeros on each side, or a mode of `AdaptivePadding`: ``'corner'``, ``'same'``.
        dilation: Distance between the patches that are joined.
        bias: Whether the linear map has a bias.
        norm_cfg: Config of the norm before it. None: no norm.
        init_cfg: Config of the initialisation.

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
        self.adaptive_padding, self.padding = adapt(
            padding, self.kernel_size, self.stride, self.dilation
        )
        self.sampler = nn.Unfold(self.kernel_size, self.dilation, self.padding, self.stride)
        joined = self.kernel_size[0] * self.kernel_size[1] * in_channels
        self.norm: nn.Module | None = (
            None if norm_cfg is None else build_norm_layer(norm_cfg, joined)[1]
        )
        self.reduction = nn.Linear(joined, out_channels, bias=bias)

    def forward(self, x: Tensor, input_size: Sequence[int]) -> tuple[Tensor, tuple[int, int]]:
        """Join.

        Args:
            x: Tensor (N, H * W, C_in).
            input_size: (H, W).

        Returns:
            The joined patches (N, rows * columns, C_out), and (rows, columns).

        Raises:
            TypeError: If `input_size` is no sequence.
            ValueError: If `x` has not H * W patches.
        """
        if not isinstance(input_size, Sequence):
            raise TypeError(f"input_size must be (height, width), but got {input_size!r}")
        height, width = input_size
        if x.shape[1] != height * width:
            raise ValueError(
                f"input_size must be the size of the {x.shape[1]} patches, but got "
                f"{height} x {width} = {height * width}"
            )
        x = x.unflatten(1, (height, width)).permute(0, 3, 1, 2)  # type: ignore[no-untyped-call]
        if self.adaptive_padding is not None:
            x = self.adaptive_padding(x)
            height, width = x.shape[-2:]
        rows, columns = (
            windows(size, *of_side)
            for size, *of_side in zip(
                (height, width),
                self.kernel_size,
                self.stride,
                self.padding,
                self.dilation,
                strict=True,
            )
        )
        x = self.sampler(x).transpose(1, 2)  # (N, rows * columns, joined)
        if self.norm is not None:
            x = self.norm(x)
        return self.reduction(x), (rows, columns)
