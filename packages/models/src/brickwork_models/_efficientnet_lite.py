"""EfficientNet-Lite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Unpack

from ._backbone import BackboneOptions
from ._inverted_residual import InvertedResidualNet, Stage
from ._registry import MODELS
from ._rounding import make_divisible
from ._typing import Config
from .errors import ArchitectureError

# Stages 2 to 8 of table 1 of the paper: expansion, channels, layers, stride, kernel.
STAGES = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)


@dataclass(frozen=True)
class Scaling:
    """How a size of the family scales the table.

    Attributes:
        width: Factor of the channels.
        depth: Factor of the number of blocks.
        image_size: Side of the images that it was trained on, in pixels.
        dropout: Dropout in front of the classifier.
    """

    width: float
    depth: float
    image_size: int
    dropout: float


SCALINGS = {
    "lite0": Scaling(1.0, 1.0, 224, 0.2),
    "lite1": Scaling(1.0, 1.1, 240, 0.2),
    "lite2": Scaling(1.1, 1.2, 260, 0.3),
    "lite3": Scaling(1.2, 1.4, 280, 0.3),
    "lite4": Scaling(1.4, 1.8, 300, 0.3),
}


def scaled_stages(arch: str) -> list[Stage]:
    """Scale the table to one size of the family.

    The lite networks keep the depth of the first and the last stage.

    Args:
        arch: ``"lite0"`` to ``"lite4"``.

    Returns:
        The stages with the channels and repeats of this size.
    """
    if arch not in SCALINGS:
        raise ArchitectureError("EfficientNetLite", "arch", arch, ", ".join(SCALINGS))
    scaling = SCALINGS[arch]
    fixed = (0, len(STAGES) - 1)
    return [
        replace(
            row,
            channels=make_divisible(row.channels * scaling.width),
            repeats=row.repeats if i in fixed else math.ceil(row.repeats * scaling.depth),
        )
        for i, row in enumerate(STAGES)
    ]


@MODELS.register_module()
class EfficientNetLite(InvertedResidualNet):
    """EfficientNet-Lite, the EfficientNet for phones.

    Against "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946, the lite networks have no squeeze-and-excitation, ReLU6 for swish, and
    a stem and head that do not grow
    (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).

    Padding is TensorFlow's "same", and the batch norms' eps and momentum are those the
    checkpoints were trained with.

    Args:
        arch: ``"lite0"`` to ``"lite4"``.
        out_indices: The stages whose feature maps are returned: 0 to 6 are the rows of the
            table, 7 is the last 1x1 convolution.
        norm_cfg: Config of the norms; ``None`` means batch norm as trained.
        act_cfg: Config of the activations; ``None`` means ReLU6.
        drop_path_rate: Probability that training skips the last block of a sample; it falls
            to 0 at the first. The original trained with 0.2.
        with_cp: Whether blocks are recomputed backward.
        in_channels: Channels of the image.
        **options: See :class:`BackboneOptions`.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 2, 4, 8, 16, 16, 32, 32, 32 (those of
        ``out_indices``), or to scores ``(N, num_classes)``.
    """

    def __init__(
        self,
        arch: str = "lite0",
        *,
        out_indices: Sequence[int] = (1, 2, 4, 6),
        norm_cfg: Config | None = None,
        act_cfg: Config | None = None,
        drop_path_rate: float = 0.0,
        with_cp: bool = False,
        in_channels: int = 3,
        **options: Unpack[BackboneOptions],
    ) -> None:
        stages = scaled_stages(arch)
        super().__init__(
            stages,
            stem_channels=32,
            head_channels=1280,
            in_channels=in_channels,
            same_padding=True,
            separable_first=True,
            norm_cfg=norm_cfg or {"type": "BN", "eps": 1e-3, "momentum": 0.01},
            act_cfg=act_cfg,
            dropout=SCALINGS[arch].dropout,
            drop_path_rate=drop_path_rate,
            with_cp=with_cp,
            out_indices=out_indices,
            **options,
        )
        self.arch = arch
