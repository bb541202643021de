"""Inverted residual block of the mobile networks, and the models that are a table of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

from brickwork_base import BaseModule
from brickwork_layers import build_dropout
from brickwork_modules import ConvModule, DepthwiseSeparableConvModule
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from brickwork_models._typing import Config, InitConfig
from brickwork_models.errors import ArchitectureError

from ._backbone import Backbone, BackboneOptions

SAME_PADDING: Config = {"type": "Conv2dAdaptivePadding"}
"""TensorFlow's "same" padding: a strided convolution pads one more at the bottom and right."""


class InvertedResidual(BaseModule):
    """Inverted residual block: expansion, depthwise convolution, linear projection, shortcut.

    From "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.

    Args:
        in_channels: Number of input channels.
        out_channels: Number of output channels.
        mid_channels: Number of channels of the depthwise convolution.
        kernel_size: Kernel size of the depthwise convolution, odd.
        stride: Stride of the depthwise convolution. The block has a shortcut if it is 1 and
            ``in_channels`` equals ``out_channels``.
        with_expand_conv: Whether a 1x1 convolution expands the input; without it,
            ``mid_channels`` must equal ``in_channels``.
        conv_cfg: Config of the convolutions.
        depthwise_cfg: Config of the depthwise convolution; ``conv_cfg`` by default.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        act_cfg: Config of the activations; ``None`` means ReLU6.
        drop_path_rate: Probability that a sample skips the block while training.
        with_cp: Whether activations are recomputed in the backward pass instead of stored.
        init_cfg: Initializers that ``init_weights()`` applies.
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
            allowed = f"in_channels ({in_channels}) if with_expand_conv is False"
            raise ArchitectureError("InvertedResidual", "mid_channels", mid_channels, allowed)
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
    """A stage in the table of a mobile network.

    Attributes:
        expand: Expansion factor of the blocks.
        channels: Number of output channels, before scaling.
        repeats: Number of blocks, before scaling.
        stride: Stride of the first block.
        kernel: Kernel size of the depthwise convolutions.
    """

    expand: int
    channels: int
    repeats: int
    stride: int
    kernel: int = 3


class InvertedResidualNet(Backbone):
    """A 3x3 convolution, stages of inverted residual blocks, a 1x1 convolution, a classifier.

    Args:
        stages: The table, scaled.
        stem_channels: Output channels of the first convolution.
        head_channels: Output channels of the last convolution, which is the last stage.
        in_channels: Number of image channels.
        same_padding: Whether strided convolutions use TensorFlow's "same" padding.
        separable_first: Whether a stage with an expansion factor of 1 is a plain depthwise
            separable convolution.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms.
        act_cfg: Config of the activations.
        dropout: Dropout probability before the classifier.
        drop_path_rate: Probability that a sample skips the last block while training; decreases
            linearly to 0 at the first block.
        with_cp: Whether activations are recomputed in the backward pass.
        out_indices: Indices of the stages whose feature maps are returned.
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
        strided_cfg = SAME_PADDING if same_padding else conv_cfg
        self.conv1 = ConvModule(
            in_channels, stem_channels, 3, stride=2, padding=1, **layers | {"conv_cfg": strided_cfg}
        )
        channels, num_built = stem_channels, 0
        num_blocks = sum(stage.repeats for stage in stages)
        stride = 2
        names, strides = [], []
        for number, stage in enumerate(stages, start=1):
            blocks: list[nn.Module] = []
            for i in range(stage.repeats):
                block_stride = stage.stride if i == 0 else 1
                if stage.expand == 1 and separable_first and channels != stage.channels:
                    block: nn.Module = DepthwiseSeparableConvModule(
                        channels,
                        stage.channels,
                        stage.kernel,
                        stride=block_stride,
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
                        block_stride,
                        with_expand_conv=stage.expand != 1,
                        depthwise_cfg=strided_cfg if block_stride > 1 else None,
                        drop_path_rate=drop_path_rate * num_built / num_blocks,
                        with_cp=with_cp,
                        **layers,
                    )
                blocks.append(block)
                channels, num_built = stage.channels, num_built + 1
            stride *= stage.stride
            strides.append(stride)
            names.append(f"layer{number}")
            self.add_module(names[-1], nn.Sequential(*blocks))
        self.conv2 = ConvModule(channels, head_channels, 1, **layers)
        self.stage_names = (*names, "conv2")
        self.stage_channels = (*(stage.channels for stage in stages), head_channels)
        self.stage_strides = (*strides, stride)
        self._add_classifier(dropout)
        self._freeze()


def timm_key_map(projection: str) -> list[tuple[str, str]]:
    """Build the key map from timm's mobile networks.

    Args:
        projection: Attribute of the projection in the first block.

    Returns:
        The pairs for ``revise_keys``.
    """
    return [
        (r"^conv_stem\.", "conv1.conv."),
        (r"^bn1\.", "conv1.bn."),
        (r"^conv_head\.", "conv2.conv."),
        (r"^bn2\.", "conv2.bn."),
        (r"^classifier\.", "fc."),
        *((rf"^blocks\.{i}\.", f"layer{i + 1}.") for i in range(7)),
        (r"^(layer1\.0)\.conv_dw\.", r"\1.depthwise_conv.conv."),
        (r"^(layer1\.0)\.bn1\.", r"\1.depthwise_conv.bn."),
        (r"^(layer1\.0)\.conv_pw\.", rf"\1.{projection}.conv."),
        (r"^(layer1\.0)\.bn2\.", rf"\1.{projection}.bn."),
        (r"\.conv_pw\.", ".expand_conv.conv."),
        (r"\.bn1\.", ".expand_conv.bn."),
        (r"\.conv_dw\.", ".depthwise_conv.conv."),
        (r"\.bn2\.", ".depthwise_conv.bn."),
        (r"\.conv_pwl\.", ".linear_conv.conv."),
        (r"\.bn3\.", ".linear_conv.bn."),
    ]
