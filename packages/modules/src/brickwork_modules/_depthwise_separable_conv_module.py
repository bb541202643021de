"""Depthwise separable convolution."""

from typing import Any

from torch import Tensor, nn

from ._conv_module import ConvModule
from ._typing import Config, Size


class DepthwiseSeparableConvModule(nn.Module):
    """A convolution of each channel by itself, then one of each pixel by itself.

    Each is a `ConvModule` with its own norm and activation (Howard et al., "MobileNets",
    https://arxiv.org/abs/1704.04861).

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Size of the depthwise window.
        stride: Step of the depthwise window.
        padding: Added on each side by the depthwise convolution.
        dilation: Distance between the depthwise kernel's elements.
        norm_cfg: Config of both norms. None: no norm.
        act_cfg: Config of both activations. None: no activation.
        dw_norm_cfg: Config of the depthwise norm; ``'default'`` stands for `norm_cfg`.
        dw_act_cfg: Config of the depthwise activation; ``'default'`` stands for `act_cfg`.
        pw_norm_cfg: Config of the pointwise norm; ``'default'`` stands for `norm_cfg`.
        pw_act_cfg: Config of the pointwise activation; ``'default'`` stands for `act_cfg`.
        **kwargs: Further arguments of both `ConvModule`.

    Raises:
        TypeError: If ``groups`` is given: the depthwise convolution has one for each channel.

    Example:
        >>> DepthwiseSeparableConvModule(8, 16, 3, norm_cfg=dict(type='BN')).pointwise_conv.conv
        Conv2d(8, 16, kernel_size=(1, 1), stride=(1, 1), bias=False)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        norm_cfg: Config | None = None,
        act_cfg: Config | None = {"type": "ReLU"},  # noqa: B006  (mmcv's default, never changed)
        dw_norm_cfg: Config | str | None = "default",
        dw_act_cfg: Config | str | None = "default",
        pw_norm_cfg: Config | str | None = "default",
        pw_act_cfg: Config | str | None = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if "groups" in kwargs:
            raise TypeError(
                f"groups of a depthwise separable convolution is in_channels={in_channels} for "
                f"the depthwise part and 1 for the pointwise part, got {kwargs['groups']!r}; "
                "leave it out, or build a ConvModule"
            )
        self.depthwise_conv = ConvModule(
            in_channels,
            in_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=in_channels,
            norm_cfg=_either(dw_norm_cfg, norm_cfg),
            act_cfg=_either(dw_act_cfg, act_cfg),
            **kwargs,
        )
        self.pointwise_conv = ConvModule(
            in_channels,
            out_channels,
            1,
            norm_cfg=_either(pw_norm_cfg, norm_cfg),
            act_cfg=_either(pw_act_cfg, act_cfg),
            **kwargs,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: Tensor (N, C_in, ...).

        Returns:
            Tensor (N, C_out, ...).
        """
        output: Tensor = self.pointwise_conv(self.depthwise_conv(x))
        return output


def _either(own: Config | str | None, default: Config | None) -> Config | None:
    """The config of one part, or the one for both."""
    if isinstance(own, str):
        if own != "default":
            raise ValueError(f"a config must be a dict, None or 'default', got {own!r}")
        return default
    return own
