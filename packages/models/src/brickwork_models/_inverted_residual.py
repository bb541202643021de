"""The block of the mobile networks, and the network that is a table of such blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from brickwork_base import BaseModule
from brickwork_layers import build_dropout
from brickwork_modules import ConvModule, DepthwiseSeparableConvModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ._backbone import Backbone, BackboneOptions
from ._typing import Config, InitConfig

SAME_PADDING: Config = {"type": "Conv2dAdaptivePadding"}
"""TensorFlow's padding "same": a strided convolution pads the far side by one more."""


class InvertedResidual(BaseModule):
    """Widen, convolve each channel by itself, narrow without an activation, add the input.

    From "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        mid_channels: Channels in between.
        kernel_size: Side of the depthwise kernel, odd.
        stride: Stride of the depthwise convolution. The input is added where it is 1 and
            the channels agree.
        with_expand_conv: Whether a 1x1 convolution widens the input; without, ``mid_channels``
            must be ``in_channels``.
        conv_cfg: Config of the convolutions.
        depthwise_cfg: Config of the depthwise convolution; by default ``conv_cfg``.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        act_cfg: Config of the activations; ``None`` means ReLU6.
        drop_path_rate: Probability that training skips the block for a sample.
        with_cp: Whether to recompute the block backward instead of keeping its activations.
        init_cfg: How ``init_weights()`` fills the weights.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        mid_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        *,
        with_expand_conv: bool = True,
        conv_cfg: Config | None = None,
        depthwise_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        act_cfg: Config | None = None,
        drop_path_rate: float = 0.0,
        with_cp: bool = False,
        init_cfg: InitConfig | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if not with_expand_conv and mid_channels != in_channels:
            raise ValueError(
                f"InvertedResidual without an expanding convolution has mid_channels = "
                f"in_channels, but they are {mid_channels} and {in_channels}"
            )
        layers: Config = {"conv_cfg": conv_cfg, "norm_cfg": norm_cfg or {"type": "BN"}}
        act_cfg = act_cfg or {"type": "ReLU6"}
        self.with_shortcut = stride == 1 and in_channels == out_channels
        self.with_expand_conv = with_expand_conv
        self.with_cp = with_cp
        if with_expand_conv:
            self.expand_conv = ConvModule(in_channels, mid_channels, 1, act_cfg=act_cfg, **layers)
        self.depthwise_conv = ConvModule(
            mid_channels,
            mid_channels,
            kernel_size,
            stride=stride,
            padding=kernel_size // 2,
            groups=mid_channels,
            act_cfg=act_cfg,
            **layers | {"conv_cfg": depthwise_cfg or conv_cfg},
        )
        self.linear_conv = ConvModule(mid_channels, out_channels, 1, act_cfg=None, **layers)
        self.drop_path = (
            build_dropout({"type": "DropPath", "drop_prob": drop_path_rate})
            if drop_path_rate and self.with_shortcut
            else nn.Identity()
        )

    def _block(self, x: Tensor) -> Tensor:
        out: Tensor = self.expand_conv(x) if self.with_expand_conv else x
        out = self.linear_conv(self.depthwise_conv(out))
        return x + self.drop_path(out) if self.with_shortcut else out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, in_channels, H, W)`` to ``(N, out_channels, H / stride, W / stride)``."""
        if self.with_cp and x.requires_grad:
            out: Tensor = checkpoint(self._block, x, use_reentrant=False)
            return out
        return self._block(x)


@dataclass(frozen=True)
class Stage:
    """A row of a mobile network's table: blocks of one kind, side by side.

    Attributes:
        expand: How many times wider a block is inside.
        channels: Channels that go out, before scaling.
        repeats: Number of blocks, before scaling.
        stride: Stride of the first block.
        kernel: Side of the depthwise kernel.
    """

    expand: int
    channels: int
    repeats: int
    stride: int
    kernel: int = 3


class InvertedResidualNet(Backbone):
    """A 3x3 convolution, stages of inverted residuals, a 1x1 convolution, a classifier.

    Args:
        stages: The table, scaled.
        stem_channels: Channels of the first convolution.
        head_channels: Channels of the last one, which is the last stage.
        in_channels: Channels of the image.
        same_padding: Whether strided convolutions pad as TensorFlow's "same" does.
        separable_first: Whether a stage that does not widen is a plain depthwise separable
            convolution.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.
        act_cfg: Config of the activations.
        dropout: Dropout in front of the classifier.
        drop_path_rate: Probability that training skips the last block; it falls to 0 at the
            first.
        with_cp: Whether blocks are recomputed backward.
        out_indices: The stages whose feature maps are returned.
        **options: See :class:`BackboneOptions`.
    """

    stem_names = ("conv1",)

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        stem_channels: int,
        head_channels: int,
        in_channels: int = 3,
        same_padding: bool = False,
        separable_first: bool = False,
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        act_cfg: Config | None = None,
        dropout: float = 0.0,
        drop_path_rate: float = 0.0,
        with_cp: bool = False,
        out_indices: Sequence[int],
        **options: Unpack[BackboneOptions],
    ) -> None:
        super().__init__(num_stages=len(stages) + 1, out_indices=out_indices, **options)
        layers: Config = {
            "conv_cfg": conv_cfg,
            "norm_cfg": norm_cfg or {"type": "BN"},
            "act_cfg": act_cfg or {"type": "ReLU6"},
        }
        strided = SAME_PADDING if same_padding else conv_cfg
        self.conv1 = ConvModule(
            in_channels, stem_channels, 3, stride=2, padding=1, **layers | {"conv_cfg": strided}
        )
        channels, done, total = stem_channels, 0, sum(stage.repeats for stage in stages)
        names = []
        for number, stage in enumerate(stages, start=1):
            blocks: list[nn.Module] = []
            for i in range(stage.repeats):
                stride = stage.stride if i == 0 else 1
                if stage.expand == 1 and separable_first and channels != stage.channels:
                    block: nn.Module = DepthwiseSeparableConvModule(
                        channels,
                        stage.channels,
                        stage.kernel,
                        stride=stride,
                        padding=stage.kernel // 2,
                        pw_act_cfg=None,
                        **layers,
                    )
                else:
                    block = InvertedResidual(
                        channels,
                        stage.channels,
                        channels * stage.expand,
                        stage.kernel,
                        stride,
                        with_expand_conv=stage.expand != 1,
                        depthwise_cfg=strided if stride > 1 else None,
                        drop_path_rate=drop_path_rate * done / total,
                        with_cp=with_cp,
                        **layers,
                    )
                blocks.append(block)
                channels, done = stage.channels, done + 1
            names.append(f"layer{number}")
            self.add_module(names[-1], nn.Sequential(*blocks))
        self.conv2 = ConvModule(channels, head_channels, 1, **layers)
        self.stage_names = (*names, "conv2")
        self.stage_channels = (*(stage.channels for stage in stages), head_channels)
        self._add_classifier(dropout)
        self._freeze()
