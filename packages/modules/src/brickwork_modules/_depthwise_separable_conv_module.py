"""Depthwise separable convolution."""

from typing import Any

from brickwork_registry.errors import ArgumentTypeError
from torch import Tensor, nn

from ._conv_module import ConvModule
from ._typing import Config, Size


class DepthwiseSeparableConvModule(nn.Module):
    """A depthwise convolution followed by a pointwise (1 x 1) convolution.

    Each is a `ConvModule` with its own norm and activation (Howard et al., "MobileNets",
    https://arxiv.org/abs/1704.04861).

    Args:
        in_channels: Number of channels of the input.
        out_channels: Number of channels of the output.
        kernel_size: Size of the depthwise kernel.
        stride: Stride of the depthwise convolution.
        padding: Padding of the depthwise convolution.
        dilation: Spacing between elements of the depthwise kernel.
        norm_cfg: Config of both norms. None means no norm.
        act_cfg: Config of both activations. None means no activation.
        dw_norm_cfg: Config of the depthwise norm; ``'default'`` means `norm_cfg`.
        dw_act_cfg: Config of the depthwise activation; ``'default'`` means `act_cfg`.
        pw_norm_cfg: Config of the pointwise norm; ``'default'`` means `norm_cfg`.
        pw_act_cfg: Config of the pointwise activation; ``'default'`` means `act_cfg`.
        **kwargs: Further arguments of both `ConvModule`.

    Raises:
        TypeError: If ``groups`` is passed: the depthwise convolution has `in_channels` groups.

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
            raise ArgumentTypeError(
                f"groups of a depthwise separable convolution is in_channels={in_channels} for "
                f"the depthwise part and 1 for the pointwise part, got {kwargs['groups']!r}; "
                "remove it, or use ConvModule"
            )
        self.depthwise_conv = ConvModule(
            in_channels,
            in_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=in_channels,
            norm_cfg=_config_or_default("dw_norm_cfg", dw_norm_cfg, norm_cfg),
            act_cfg=_config_or_default("dw_act_cfg", dw_act_cfg, act_cfg),
            **kwargs,
        )
        self.pointwise_conv = ConvModule(
            in_channels,
            out_channels,
            1,
            norm_cfg=_config_or_default("pw_norm_cfg", pw_norm_cfg, norm_cfg),
            act_cfg=_config_or_default("pw_act_cfg", pw_act_cfg, act_cfg),
            **kwargs,
        )

    def forward(self, x: Tensor) -> Tensor:
        """Run both convolutions.

        Args:
            x: Tensor ``(N, C_in, *)``.

        Returns:
            Tensor ``(N, C_out, *)``.
        """
        output: Tensor = self.pointwise_conv(self.depthwise_conv(x))
        return output


def _config_or_default(
    name: str, cfg: Config | str | None, default: Config | None
) -> Config | None:
    """Return the config of one part, or that of both."""
    if isinstance(cfg, str):
        if cfg != "default":
            raise ValueError(f"{name} must be a dict, None or 'default', got {cfg!r}")
        return default
    return cfg
