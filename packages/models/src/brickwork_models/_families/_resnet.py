"""ResNet and its variants, with the options of detection code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar, Unpack

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import BACKBONE, MMCLS, OPENMMLAB, SAME, KeyMap
from brickwork_models._entries._preprocessing import Preprocessing
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import (
    BSD,
    CC_BY_SA,
    V1,
    V2,
    Weights,
    mmcls,
    mmpretrain,
    open_mmlab,
    torchvision,
)
from brickwork_models._parts._residual_block import BasicBlock, Bottleneck, ResidualBlock
from brickwork_models._parts._residual_net import (
    STEM_7X7,
    STEM_CIFAR,
    STEM_DEEP,
    ResidualNet,
    ResidualNetOptions,
    StageRow,
    Stem,
)
from brickwork_models._registry import MODELS
from brickwork_models._typing import Config
from brickwork_models.errors import ArchitectureError

__all__ = ["ResNet", "ResNetCIFAR", "ResNetV1c", "ResNetV1d"]

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
    """ResNet with the options and parameter names of detection code.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385. This is the ``ResNet``
    of OpenMMLab's checkpoints and configs; ``brickwork.cnn.ResNet`` is the simpler one of
    ``mmcv.cnn``. Both have the same parameter names.

    Args:
        depth: 18, 34, 50, 101 or 152 as in the paper, 26 or 200 as in timm.
        num_stages: Number of stages, 1 to 4.
        stem_channels: Output channels of the stem; ``base_channels`` by default.
        base_channels: Planes of the first stage; they double with each further stage.
        deep_stem: Whether three 3x3 convolutions replace the 7x7 one (v1c, v1d).
        groups: Groups of the 3x3 convolutions of bottlenecks (ResNeXt).
        base_width: Channels per group in the first stage, ``base_channels`` by default; 128
            with one group makes a Wide ResNet, arXiv:1605.07146.
        **options: In detail:

            - in_channels (int): Number of image channels.
            - strides, dilations (sequences of int): Stride and dilation of each stage.
            - out_indices (sequence of int): Indices of the stages whose feature maps are
              returned, without duplicates.
            - style (str): Which convolution of a bottleneck has the stride: ``"pytorch"`` the
              3x3 one, ``"caffe"`` the first.
            - avg_down (bool): Whether shortcuts downsample by average pooling (v1d).
            - frozen_stages (int): -1 freezes nothing, 0 the stem, n the stem and n stages.
            - conv_cfg (dict): Config of the convolutions, such as ``dict(type="ConvWS")``.
            - norm_cfg (dict): Config of the norms, such as ``dict(type="GN", num_groups=32)``;
              ``None`` means batch norm.
            - norm_eval (bool): Whether batch norms stay in evaluation mode while training;
              true by default, because detection trains with small batches.
            - dcn (dict): Config of the 3x3 convolutions of bottlenecks in the stages of
              stage_with_dcn (sequence of bool), such as ``dict(type="DCNv2", deform_groups=1)``
              of ``brickwork-ops``.
            - plugins (list of dict): Layers to insert into the bottlenecks, each
              ``dict(cfg=dict(type="ContextBlock", ...), position="after_conv3",
              stages=(False, True, True, True))``.
            - with_cp (bool): Whether activations are recomputed in the backward pass.
            - zero_init_residual (bool): Whether each block starts as the identity after
              ``init_weights()``.
            - num_classes (int): Number of classes; ``None`` builds a backbone.
            - pretrained (str): Checkpoint that ``init_weights()`` loads.
            - init_cfg (dict or list): Initializers that ``init_weights()`` applies.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32 (those of ``out_indices``),
        or to logits ``(N, num_classes)``.

    Raises:
        ArchitectureError: An argument is out of range.
        UnsupportedOptionError: ``dcn`` or plugins in a model of basic blocks.
    """

    depths: ClassVar[dict[int, tuple[type[ResidualBlock], tuple[int, ...]]]] = {
        **DEPTHS,
        26: (Bottleneck, (2, 2, 2, 2)),  # 26 and 200 are timm's
        200: (Bottleneck, (3, 24, 36, 3)),
    }
    plain_stem: ClassVar[Stem] = STEM_7X7

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
            allowed = f"(1, {base_channels}) at depth {depth}, which has no bottlenecks"
            raise ArchitectureError(family, "groups, base_width", (groups, base_width), allowed)
        rows = []
        for i, num_blocks in enumerate(blocks[:num_stages]):
            planes = base_channels * 2**i
            width = planes * base_width // base_channels * groups
            block_options = {"groups": groups, "width": width} if grouped else {}
            rows.append(StageRow(planes, num_blocks, block_options))
        super().__init__(
            block,
            rows,
            stem=STEM_DEEP if deep_stem else self.plain_stem,
            stem_channels=stem_channels or base_channels,
            **options,
        )
        self.depth = depth


@MODELS.register_module()
class ResNetV1c(ResNet):
    """ResNet-C of "Bag of Tricks", arXiv:1812.01187, with a deep stem.

    Args:
        depth: As of :class:`ResNet`.
        **options: As of :class:`ResNet`.
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **{"deep_stem": True, **options})


@MODELS.register_module()
class ResNetV1d(ResNet):
    """ResNet-D of "Bag of Tricks", arXiv:1812.01187, with a deep stem and pooled shortcuts.

    Args:
        depth: As of :class:`ResNet`.
        **options: As of :class:`ResNet`.
    """

    def __init__(self, depth: int, **options: Any) -> None:
        super().__init__(depth, **{"deep_stem": True, "avg_down": True, **options})


@MODELS.register_module(name=["ResNetCIFAR", "ResNet_CIFAR"])
class ResNetCIFAR(ResNet):
    """ResNet for small images, whose stem is a 3x3 convolution of stride 1 without pooling.

    Args:
        depth: As of :class:`ResNet`.
        **options: As of :class:`ResNet`.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 1, 2, 4, 8 (those of ``out_indices``), or to
        logits ``(N, num_classes)``.
    """

    plain_stem = STEM_CIFAR


def _mmcls_deep_stem() -> KeyMap:
    layers = {"conv": 0, "bn": 1}
    return [
        *OPENMMLAB,
        *(
            (rf"^stem\.{i}\.{name}\.", f"stem.{3 * i + offset}.")
            for i in range(3)
            for name, offset in layers.items()
        ),
    ]


KEY_MAPS: dict[str, KeyMap] = {
    "timm/deep_stem": [(r"^conv1\.", "stem."), (r"^bn1\.", "stem.7.")],
    "timm/group_norm": [(r"\bbn(\d)\.", r"gn\1.")],
    "mmcls/deep_stem": _mmcls_deep_stem(),
    # In mmcls the shortcut of the first stage, which has stride 1, has no pooling layer.
    "mmcls/v1d": [
        *_mmcls_deep_stem(),
        *((rf"^(layer1\.0\.downsample)\.{i}\.", rf"\1.{i + 1}.") for i in (1, 0)),
    ],
}

DEEP_STEM = {**BACKBONE, "mmcls": "mmcls/deep_stem", "timm": "timm/deep_stem"}
V1D = {**DEEP_STEM, "mmcls": "mmcls/v1d"}
GROUP_NORM = {**MMCLS, "timm": "timm/group_norm"}

CAFFE = Preprocessing(mean=(103.53, 116.28, 123.675), std=(1.0, 1.0, 1.0), channel_order="BGR")
DETECTRON = replace(CAFFE, mean=(102.9801, 115.9465, 122.7717))

BICUBIC_236 = Preprocessing(crop=224 / 236, interpolation="bicubic")
CUB = Preprocessing(448, crop=448 / 600, square=True)
CIFAR10 = Preprocessing(
    32, mean=(125.307, 122.961, 113.8575), std=(51.5865, 50.847, 51.255), crop=1.0
)
CIFAR100 = Preprocessing(32, mean=(129.304, 124.07, 112.434), std=(68.17, 65.392, 70.418), crop=1.0)

RSB = tuple(f"resnet50_8xb256-rsb-{recipe}_in1k" for recipe in ("a1-600e", "a2-300e", "a3-100e"))
# Self-supervised backbones.
PRETRAINED = (
    "barlowtwins_resnet50_8xb256-coslr-300e_in1k",
    "byol_resnet50_16xb256-coslr-200e_in1k",
    "densecl_resnet50_8xb32-coslr-200e_in1k",
    "mocov2_resnet50_8xb32-coslr-200e_in1k",
    "mocov3_resnet50_8xb512-amp-coslr-100e_in1k",
    "mocov3_resnet50_8xb512-amp-coslr-300e_in1k",
    "mocov3_resnet50_8xb512-amp-coslr-800e_in1k",
    "simclr_resnet50_16xb256-coslr-200e_in1k",
    "simclr_resnet50_16xb256-coslr-800e_in1k",
    "simsiam_resnet50_8xb32-coslr-100e_in1k",
    "simsiam_resnet50_8xb32-coslr-200e_in1k",
    "swav_resnet50_8xb32-mcrop-coslr-200e_in1k-224px-96px",
)
# The same with a linear classifier that was trained on their frozen features.
LINEAR = (
    "resnet50_barlowtwins-pre_8xb32-linear-coslr-100e_in1k",
    "resnet50_byol-pre_8xb512-linear-coslr-90e_in1k",
    "resnet50_densecl-pre_8xb32-linear-steplr-100e_in1k",
    "resnet50_mocov2-pre_8xb32-linear-steplr-100e_in1k",
    "resnet50_mocov3-100e-pre_8xb128-linear-coslr-90e_in1k",
    "resnet50_mocov3-300e-pre_8xb128-linear-coslr-90e_in1k",
    "resnet50_mocov3-800e-pre_8xb128-linear-coslr-90e_in1k",
    "resnet50_simclr-200e-pre_8xb512-linear-coslr-90e_in1k",
    "resnet50_simclr-800e-pre_8xb512-linear-coslr-90e_in1k",
    "resnet50_simsiam-100e-pre_8xb512-linear-coslr-90e_in1k",
    "resnet50_simsiam-200e-pre_8xb512-linear-coslr-90e_in1k",
    "resnet50_swav-pre_8xb32-linear-coslr-100e_in1k",
)
MMPRETRAIN_RESNET50 = (
    *mmpretrain("resnet50", "resnet50_8xb32-fp16_in1k"),
    *mmpretrain("resnet50", *RSB, "resnet50_spark-pre_300e_in1k", preprocess=BICUBIC_236),
    *mmpretrain("resnet50", *PRETRAINED, classifier=False, prefix="backbone"),
    *mmpretrain("resnet50", *LINEAR),
    *mmpretrain("resnet50", "resnet50_8xb8_cub", preprocess=CUB, num_classes=200),
)
MMPRETRAIN_WIDE = {
    50: (
        *mmpretrain("wide-resnet50", "wide-resnet50_3rdparty_8xb32_in1k", license_id=BSD),
        *mmpretrain(
            "wide-resnet50",
            "wide-resnet50_3rdparty-timm_8xb32_in1k",
            preprocess=Preprocessing(interpolation="bicubic"),
        ),
    ),
    101: mmpretrain("wide-resnet101", "wide-resnet101_3rdparty_8xb32_in1k", license_id=BSD),
}

GN: Config = {"norm_cfg": {"type": "GN", "num_groups": 32}}
GN_WS: Config = {**GN, "conv_cfg": {"type": "ConvWS"}}


def _resnets() -> Iterator[Entry]:
    family = "ResNet"
    for depth in (18, 26, 34, 50, 101, 152, 200):
        name, arguments = f"resnet{depth}", {"depth": depth}
        weights: tuple[Weights, ...] = ()
        if depth not in (26, 200):  # only timm has these
            weights = torchvision(name, *((V1,) if depth < 50 else (V1, V2))) + mmcls(name)
        if depth == 50:
            weights += MMPRETRAIN_RESNET50
        yield Entry(name, family, ResNet, arguments, weights, key_maps=SAME)

        c = arguments | {"deep_stem": True}
        weights = open_mmlab(f"{name}_v1c", classifier=True) if depth in (18, 50, 101) else ()
        if depth in (50, 101, 152):
            arch = f"resnetv1c{depth}"
            weights += mmpretrain(arch, f"{arch}_8xb32_in1k")
        yield Entry(f"{name}_v1c", family, ResNet, c, weights, (f"{name}c",), DEEP_STEM)

        d = c | {"avg_down": True}
        weights = mmcls(f"{name}_v1d") if depth in (50, 101, 152) else ()
        yield Entry(f"{name}_v1d", family, ResNet, d, weights, (f"{name}d",), V1D)
    for depth in (50, 101, 152):
        name, s = f"resnet{depth}_v1s", {"depth": depth, "deep_stem": True, "stem_channels": 128}
        yield Entry(name, family, ResNet, s, (), (f"resnet{depth}s",), DEEP_STEM)
    for depth in (50, 101):
        name, wide = f"wide_resnet{depth}_2", {"depth": depth, "base_width": 128}
        weights = torchvision(name, V1, V2) + MMPRETRAIN_WIDE[depth]
        yield Entry(name, family, ResNet, wide, weights, key_maps=SAME)


def _cifar_resnets() -> Iterator[Entry]:
    for depth in (18, 34, 50, 101, 152):
        arch = f"resnet{depth}"
        weights = mmpretrain(arch, f"{arch}_8xb16_cifar10", preprocess=CIFAR10, num_classes=10)
        if depth == 50:
            weights += mmpretrain(
                arch, f"{arch}_8xb16_cifar100", preprocess=CIFAR100, num_classes=100
            )
        arguments = {"depth": depth}
        yield Entry(f"{arch}_cifar", "ResNet", ResNetCIFAR, arguments, weights, key_maps=MMCLS)


def _caffe_resnets() -> Iterator[Entry]:
    for depth in (50, 101):
        for source, preprocess, suffix in (
            ("detectron2", CAFFE, "_bgr"),
            ("detectron", DETECTRON, ""),
        ):
            name = f"{source}/resnet{depth}_caffe"
            yield Entry(
                name,
                "ResNet Caffe",
                ResNet,
                {"depth": depth, "style": "caffe"},
                open_mmlab(name, preprocess, CC_BY_SA),
                (f"resnet{depth}_caffe{suffix}",),
                BACKBONE,
            )


def _group_norm_resnets() -> Iterator[Entry]:
    for depth in (50, 101):
        name = f"resnet{depth}_gn"
        weights = open_mmlab(f"detectron/{name}", CAFFE, CC_BY_SA)
        if depth == 50:
            weights += open_mmlab(f"contrib/{name}", tag="contrib")
        yield Entry(
            f"detectron/{name}",
            "ResNet GN",
            ResNet,
            {"depth": depth, **GN},
            weights,
            (name,),
            GROUP_NORM,
        )
        yield Entry(
            f"jhu/{name}_ws",
            "ResNet GN+WS",
            ResNet,
            {"depth": depth, **GN_WS},
            open_mmlab(f"jhu/{name}_ws"),
            (f"{name}_ws",),
            BACKBONE,
        )


register_family(
    [*_resnets(), *_cifar_resnets(), *_caffe_resnets(), *_group_norm_resnets()], KEY_MAPS
)
