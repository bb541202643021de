"""ResNet, ResNeXt and their variants, as detection code builds them."""

from __future__ import annotations

from typing import Any, ClassVar, Unpack

from ._registry import MODELS
from ._residual import BasicBlock, Bottleneck, ResidualBlock
from ._residual_net import ResidualNet, ResidualNetOptions, Row
from .errors import ArchitectureError

# Table 1 of the paper: blocks of conv2_x, conv3_x, conv4_x, conv5_x.
DEPTHS: dict[int, tuple[type[ResidualBlock], tuple[int, int, int, int]]] = {
    18: (BasicBlock, (2, 2, 2, 2)),
    34: (BasicBlock, (3, 4, 6, 3)),
    50: (Bottleneck, (3, 4, 6, 3)),
    101: (Bottleneck, (3, 4, 23, 3)),
    152: (Bottleneck, (3, 8, 36, 3)),
}


@MODELS.register_module()
class ResNet(ResidualNet):
    """ResNet, with the options and the names of detection code.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385. This is the network
    that OpenMMLab's checkpoints and configs mean by ``ResNet``; the plainer one of
    ``mmcv.cnn`` is :class:`brickwork_models.classic.ResNet`. Both have the same keys.

    Args:
        depth: 18, 34, 50, 101 or 152 as in the paper, 26 or 200 as in timm.
        num_stages: Number of stages, 1 to 4.
        stem_channels: Channels of the stem; by default ``base_channels``.
        base_channels: Planes of the first stage; each further one has twice as many.
        deep_stem: Three 3x3 convolutions for the 7x7 one (v1c, v1d).
        groups: Groups of the 3x3 convolutions of bottlenecks (ResNeXt).
        base_width: Channels of a group in the first stage, by default ``base_channels``; 128
            with one group makes a Wide ResNet, arXiv:1605.07146.
        **options: In detail:

            - in_channels (int): Channels of the image.
            - strides, dilations (sequences of int): Those of each stage.
            - out_indices (sequence of int): The stages whose feature maps are returned.
            - style (str): ``"pytorch"`` strides in a bottleneck's 3x3 convolution,
              ``"caffe"`` in its first.
            - avg_down (bool): Average pooling in the shortcuts that stride (v1d).
            - frozen_stages (int): -1 freezes nothing, 0 the stem, n the stem and n stages.
            - conv_cfg (dict): Config of the convolutions, such as ``dict(type="ConvWS")``.
            - norm_cfg (dict): Config of the norms, such as ``dict(type="GN", num_groups=32)``;
              ``None`` means batch norm.
            - norm_eval (bool): Whether batch norms stay in evaluation mode while training;
              true by default, as detection has small batches.
            - dcn, stage_with_dcn: Not supported; an error says what to do.
            - plugins (list of dict): Layers in the bottlenecks, each ``dict(cfg=dict(
              type="ContextBlock", ...), position="after_conv3", stages=(False, True, True,
              True))``.
            - with_cp (bool): Whether blocks are recomputed backward.
            - zero_init_residual (bool): Whether ``init_weights()`` makes each block start as
              the identity.
            - num_classes (int): Classes to tell apart; ``None`` makes a backbone.
            - pretrained (str): A checkpoint for ``init_weights()`` to load.
            - init_cfg (dict or list): How ``init_weights()`` fills the weights.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32 (those of ``out_indices``),
        or to scores ``(N, num_classes)``.

    Raises:
        ArchitectureError: An argument describes no ResNet.
        UnsupportedOptionError: ``dcn``, or plugins in a network of basic blocks.
    """

    depths: ClassVar[dict[int, tuple[type[ResidualBlock], tuple[int, ...]]]] = {
        **DEPTHS,
        26: (Bottleneck, (2, 2, 2, 2)),  # these two are timm's
        200: (Bottleneck, (3, 24, 36, 3)),
    }

    def __init__(
        self,
        depth: int,
        *,
        num_stages: int = 4,
        stem_channels: int | None = None,
        base_channels: int = 64,
        deep_stem: bool = False,
        groups: int = 1,
        base_width: int | None = None,
        **options: Unpack[ResidualNetOptions],
    ) -> None:
        family = type(self).__name__
        if depth not in self.depths:
            raise ArchitectureError(family, "depth", depth, tuple(self.depths))
        block, blocks = self.depths[depth]
        if not 1 <= num_stages <= len(blocks):
            raise ArchitectureError(family, "num_stages", num_stages, f"1 to {len(blocks)}")
        base_width = base_width or base_channels
        grouped = (groups, base_width) != (1, base_channels)
        if grouped and not issubclass(block, Bottleneck):
            allowed = f"(1, {base_channels}) at depth {depth}, whose blocks are no bottlenecks"
            raise ArchitectureError(family, "groups, base_width", (groups, base_width), allowed)
        rows = []
        for i, number in enumerate(blocks[:num_stages]):
            planes = base_channels * 2**i
            width = planes * base_width // base_channels * groups
            rows.append(Row(planes, number, {"groups": groups, "width": width} if grouped else {}))
        super().__init__(
            block,
            rows,
            stem="deep" if deep_stem else "7x7",
            stem_channels=stem_channels or base_channels,
            **options,
        )
        self.depth = depth


@MODELS.register_module()
class ResNetV1c(ResNet):
    """ResNet-C of "Bag of Tricks", arXiv:1812.01187: deep stem.

    Args:
        depth: As of :class:`ResNet`.
        **options: As of :class:`ResNet`.
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **{"deep_stem": True, **options})


@MODELS.register_module()
class ResNetV1d(ResNet):
    """ResNet-D of "Bag of Tricks", arXiv:1812.01187: deep stem, pooling in the shortcuts.

    Args:
        depth: As of :class:`ResNet`.
        **options: As of :class:`ResNet`.
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **{"deep_stem": True, "avg_down": True, **options})


@MODELS.register_module()
class ResNeXt(ResNet):
    """ResNeXt: ResNet with grouped 3x3 convolutions.

    From "Aggregated Residual Transformations for Deep Neural Networks", arXiv:1611.05431.

    Args:
        depth: 50, 101 or 152.
        groups: Number of groups, the paper's cardinality.
        base_width: Channels of a group in the first stage.
        **options: As of :class:`ResNet`.
    """

    depths: ClassVar = {depth: DEPTHS[depth] for depth in (50, 101, 152)}

    def __init__(self, depth: int, *, groups: int = 1, base_width: int = 4, **options: Any) -> None:
        super().__init__(depth, groups=groups, base_width=base_width, **options)
