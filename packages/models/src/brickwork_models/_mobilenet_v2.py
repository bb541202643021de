"""MobileNetV2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from ._backbone import BackboneOptions
from ._inverted_residual import InvertedResidualNet, Stage
from ._registry import MODELS
from ._rounding import make_divisible
from ._typing import Config

# Table 2 of the paper: t, c, n, s.
STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)


@MODELS.register_module()
class MobileNetV2(InvertedResidualNet):
    """MobileNetV2, with the names of OpenMMLab's checkpoints.

    From "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.

    Args:
        widen_factor: Scale of all widths.
        out_indices: The stages whose feature maps are returned: 0 to 6 are the rows of the
            paper's table, 7 is the last 1x1 convolution.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        act_cfg: Config of the activations; ``None`` means ReLU6.
        with_cp: Whether blocks are recomputed backward.
        in_channels: Channels of the image.
        **options: See :class:`BackboneOptions`.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 2, 4, 8, 16, 16, 32, 32, 32 (those of
        ``out_indices``), or to scores ``(N, num_classes)``.
    """

    def __init__(
        self,
        widen_factor: float = 1.0,
        *,
        out_indices: Sequence[int] = (1, 2, 4, 7),
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        act_cfg: Config | None = None,
        with_cp: bool = False,
        in_channels: int = 3,
        **options: Unpack[BackboneOptions],
    ) -> None:
        super().__init__(
            [replace(row, channels=make_divisible(row.channels * widen_factor)) for row in STAGES],
            stem_channels=make_divisible(32 * widen_factor),
            head_channels=int(1280 * max(widen_factor, 1.0)),
            in_channels=in_channels,
            conv_cfg=conv_cfg,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            dropout=0.2,
            with_cp=with_cp,
            out_indices=out_indices,
            **options,
        )
        self.widen_factor = widen_factor
