"""MobileNetV2."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Unpack

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE, OPENMMLAB, KeyMap
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import APACHE, V1, V2, mmcls, open_mmlab, torchvision
from brickwork_models._parts._backbone import BackboneOptions
from brickwork_models._parts._inverted_residual import InvertedResidualNet, Stage, timm_key_map
from brickwork_models._parts._make_divisible import make_divisible
from brickwork_models._registry import MODELS
from brickwork_models._typing import Config

__all__ = ["MobileNetV2"]

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
    """MobileNetV2, with the parameter names of OpenMMLab's checkpoints.

    From "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.

    Args:
        widen_factor: Factor of all channel counts.
        out_indices: Indices of the stages whose feature maps are returned: 0 to 6 are the rows
            of the paper's table, 7 is the last 1x1 convolution.
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        act_cfg: Config of the activations; ``None`` means ReLU6.
        with_cp: Whether activations are recomputed in the backward pass.
        in_channels: Number of image channels.
        **options: See :class:`BackboneOptions`.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 2, 4, 8, 16, 16, 32, 32, 32 (those of
        ``out_indices``), or to logits ``(N, num_classes)``.
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


def _torchvision_key_map() -> KeyMap:
    repeats = (stage.repeats for stage in STAGES)
    blocks = [(stage, block) for stage, n in enumerate(repeats, 1) for block in range(n)]
    return [
        (r"^features\.0\.0\.", "conv1.conv."),
        (r"^features\.0\.1\.", "conv1.bn."),
        (r"^features\.18\.0\.", "conv2.conv."),
        (r"^features\.18\.1\.", "conv2.bn."),
        (r"^classifier\.1\.", "fc."),
        *(
            (rf"^features\.{number}\.conv\.", f"layer{stage}.{block}.")
            for number, (stage, block) in enumerate(blocks, 1)
        ),
        # The first block does not expand, so its layers are numbered one lower.
        (r"^(layer1\.0)\.0\.0\.", r"\1.depthwise_conv.conv."),
        (r"^(layer1\.0)\.0\.1\.", r"\1.depthwise_conv.bn."),
        (r"^(layer1\.0)\.1\.", r"\1.linear_conv.conv."),
        (r"^(layer1\.0)\.2\.", r"\1.linear_conv.bn."),
        (r"^(layer\d\.\d)\.0\.0\.", r"\1.expand_conv.conv."),
        (r"^(layer\d\.\d)\.0\.1\.", r"\1.expand_conv.bn."),
        (r"^(layer\d\.\d)\.1\.0\.", r"\1.depthwise_conv.conv."),
        (r"^(layer\d\.\d)\.1\.1\.", r"\1.depthwise_conv.bn."),
        (r"^(layer\d\.\d)\.2\.", r"\1.linear_conv.conv."),
        (r"^(layer\d\.\d)\.3\.", r"\1.linear_conv.bn."),
    ]


KEY_MAPS: dict[str, KeyMap] = {
    "torchvision/mobilenet_v2": _torchvision_key_map(),
    "mmcls/mobilenet_v2": [
        *OPENMMLAB,
        (r"^(layer1\.0)\.conv\.0\.", r"\1.depthwise_conv."),
        (r"^(layer1\.0)\.conv\.1\.", r"\1.linear_conv."),
        (r"^(layer\d\.\d)\.conv\.0\.", r"\1.expand_conv."),
        (r"^(layer\d\.\d)\.conv\.1\.", r"\1.depthwise_conv."),
        (r"^(layer\d\.\d)\.conv\.2\.", r"\1.linear_conv."),
    ],
    "timm/mobilenet_v2": timm_key_map("linear_conv"),
    "mmedit/mobilenet_v2": [
        (r"^layers\.0\.", "conv1."),
        (r"^layers\.(\d)\.", r"layer\1."),
        (r"^(layer1\.0)\.conv\.depthwise_conv\.", r"\1.depthwise_conv."),
        (r"^(layer1\.0)\.conv\.pointwise_conv\.", r"\1.linear_conv."),
        (r"^(layer\d\.\d)\.conv\.0\.", r"\1.expand_conv."),
        (r"^(layer\d\.\d)\.conv\.1\.depthwise_conv\.", r"\1.depthwise_conv."),
        (r"^(layer\d\.\d)\.conv\.1\.pointwise_conv\.", r"\1.linear_conv."),
    ],
}


LIBRARIES = ("torchvision", "mmcls", "timm", "mmedit")

# The encoder of image matting, whose fourth input channel is the trimap.
MMEDIT = open_mmlab(
    "mmedit/mobilenet_v2", library="mmedit", tag="mmedit", arguments={"in_channels": 4}
)


def _entries() -> Iterator[Entry]:
    family = "MobileNetV2"
    maps = {key: f"{key}/mobilenet_v2" for key in LIBRARIES} | BACKBONE
    weights = (
        *torchvision("mobilenet_v2", V1, V2),
        *mmcls("mobilenet_v2"),
        *open_mmlab("mmdet/mobilenet_v2", license_id=APACHE),
        *MMEDIT,
    )
    yield Entry(
        "mobilenet_v2",
        family,
        MobileNetV2,
        weights=weights,
        aliases=("mobilenetv2_100",),
        key_maps=maps,
    )
    for percent in (35, 50, 75, 140):
        arguments = {"widen_factor": percent / 100}
        yield Entry(f"mobilenetv2_{percent:03}", family, MobileNetV2, arguments, key_maps=maps)


register_family(_entries(), KEY_MAPS)
