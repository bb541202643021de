"""The table of networks: how each is built, and which checkpoints fit it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._alexnet import AlexNet
from ._darknet import Darknet
from ._efficientnet_lite import SCALINGS, EfficientNetLite
from ._entry import Entry
from ._hrnet import HRNet
from ._hrnet_stages import hrnet_stages
from ._mobilenet_v2 import MobileNetV2
from ._regnet import DESIGNS, RegNet
from ._res2net import Res2Net
from ._resnet import ResNet, ResNeXt
from ._typing import Config
from ._vgg import DEPTHS as VGG_DEPTHS
from ._vgg import VGG
from ._weights import (
    CAFFE,
    CC_BY_SA,
    DARKNET,
    DETECTRON,
    FEATURES,
    PYCLS,
    SWAG_E2E,
    SWAG_LINEAR,
    V1,
    V2,
    VGG_CAFFE,
    Preprocessing,
    Weights,
    mmcls,
    open_mmlab,
    timm,
    torchvision,
)

GN: Config = {"norm_cfg": {"type": "GN", "num_groups": 32}}
WS: Config = {**GN, "conv_cfg": {"type": "ConvWS"}}

# Which map fits the checkpoints of which library.
BACKBONE = {"open-mmlab": "open-mmlab/same"}
MMCLS = {**BACKBONE, "mmcls": "mmcls/same"}
SAME = {**MMCLS, "torchvision": "torchvision/same", "timm": "timm/same"}
DEEP_STEM = {**BACKBONE, "mmcls": "mmcls/deep_stem", "timm": "timm/deep_stem"}
V1D = {**DEEP_STEM, "mmcls": "mmcls/v1d"}
GROUP_NORM = {**MMCLS, "timm": "timm/group_norm"}
REGNET = {**MMCLS, "torchvision": "torchvision/regnet", "timm": "timm/regnet"}
HRNET = {**BACKBONE, "mmcls": "mmcls/hrnet", "timm": "timm/same"}


def _resnets() -> Iterator[Entry]:
    family = "ResNet"
    for depth in (18, 26, 34, 50, 101, 152, 200):
        name, arguments = f"resnet{depth}", {"depth": depth}
        weights: tuple[Weights, ...] = ()
        if depth not in (26, 200):  # these are timm's own
            weights = torchvision(name, *((V1,) if depth < 50 else (V1, V2))) + mmcls(name)
        yield Entry(name, family, ResNet, arguments, weights, key_maps=SAME)

        c = arguments | {"deep_stem": True}
        weights = open_mmlab(f"{name}_v1c", classifier=True) if depth in (18, 50, 101) else ()
        yield Entry(f"{name}_v1c", family, ResNet, c, weights, (f"{name}c",), DEEP_STEM)

        d = c | {"avg_down": True}
        weights = mmcls(f"{name}_v1d") if depth in (50, 101, 152) else ()
        yield Entry(f"{name}_v1d", family, ResNet, d, weights, (f"{name}d",), V1D)
    for depth in (50, 101, 152):
        name, s = f"resnet{depth}_v1s", {"depth": depth, "deep_stem": True, "stem_channels": 128}
        yield Entry(name, family, ResNet, s, (), (f"resnet{depth}s",), DEEP_STEM)
    for depth in (50, 101):
        name, wide = f"wide_resnet{depth}_2", {"depth": depth, "base_width": 128}
        yield Entry(name, family, ResNet, wide, torchvision(name, V1, V2), key_maps=SAME)


def _caffe_resnets() -> Iterator[Entry]:
    for depth in (50, 101):
        for source, images, suffix in (("detectron2", CAFFE, "_bgr"), ("detectron", DETECTRON, "")):
            name = f"{source}/resnet{depth}_caffe"
            yield Entry(
                name,
                "ResNet Caffe",
                ResNet,
                {"depth": depth, "style": "caffe"},
                open_mmlab(name, images, CC_BY_SA),
                (f"resnet{depth}_caffe{suffix}",),
                BACKBONE,
            )


def _group_norm_resnets() -> Iterator[Entry]:
    for depth in (50, 101):
        gn = f"resnet{depth}_gn"
        weights = open_mmlab(f"detectron/{gn}", CAFFE, CC_BY_SA)
        if depth == 50:
            weights += open_mmlab(f"contrib/{gn}", tag="contrib")
        arguments = {"depth": depth, **GN}
        yield Entry(f"detectron/{gn}", "ResNet GN", ResNet, arguments, weights, (gn,), GROUP_NORM)
        groups = {"groups": 32, "base_width": 4}
        for name, family, build, more in (
            (f"{gn}_ws", "ResNet GN+WS", ResNet, WS),
            (f"resnext{depth}_32x4d_gn", "ResNet GN", ResNeXt, GN | groups),
            (f"resnext{depth}_32x4d_gn_ws", "ResNet GN+WS", ResNeXt, WS | groups),
        ):
            arguments = {"depth": depth, **more}
            weights = open_mmlab(f"jhu/{name}")
            yield Entry(f"jhu/{name}", family, build, arguments, weights, (name,), BACKBONE)


def _resnexts() -> Iterator[Entry]:
    family = "ResNeXt"
    for name, depth, groups, width, weights in (
        ("resnext50_32x4d", 50, 32, 4, torchvision("resnext50_32x4d", V1, V2)),
        ("resnext101_32x4d", 101, 32, 4, ()),
        ("resnext101_32x8d", 101, 32, 8, torchvision("resnext101_32x8d", V1, V2)),
        ("resnext101_32x16d", 101, 32, 16, ()),
        ("resnext101_32x32d", 101, 32, 32, ()),
        ("resnext101_64x4d", 101, 64, 4, torchvision("resnext101_64x4d", V1)),
        ("resnext152_32x4d", 152, 32, 4, ()),
    ):
        if groups == 32 and width <= 8:
            weights += mmcls(name)
        if width == 4 and depth <= 101:
            weights += open_mmlab(name)
        arguments = {"depth": depth, "groups": groups, "base_width": width}
        yield Entry(name, family, ResNeXt, arguments, weights, key_maps=SAME)
    d = {"depth": 50, "groups": 32, "deep_stem": True, "avg_down": True}
    yield Entry("resnext50d_32x4d", family, ResNeXt, d, key_maps=V1D)
    name = "detectron2/resnext101_32x8d"
    arguments = {"depth": 101, "groups": 32, "base_width": 8}
    weights = open_mmlab(name, PYCLS, CC_BY_SA)
    yield Entry(name, family, ResNeXt, arguments, weights, key_maps=BACKBONE)


def _res2nets() -> Iterator[Entry]:
    family = "Res2Net"
    name = "res2net101_v1d_26w_4s"
    yield Entry(name, family, Res2Net, {"depth": 101}, open_mmlab(name), key_maps=BACKBONE)
    plain = {"deep_stem": False, "avg_down": False, "pool_unstrided": True}
    for depth, width, scales, theirs in (
        (50, 14, 8, "res2net50_w14"),
        (50, 26, 4, None),
        (50, 26, 6, None),
        (50, 26, 8, "res2net50_w26"),
        (50, 48, 2, None),
        (101, 26, 4, "res2net101_w26"),
    ):
        name = f"res2net{depth}_{width}w_{scales}s"
        arguments = {"depth": depth, "base_width": width, "scales": scales, **plain}
        maps = {**MMCLS, "timm": "timm/same"}
        weights = mmcls(theirs) if theirs else ()
        yield Entry(name, family, Res2Net, arguments, weights, key_maps=maps)
    for depth in (50, 101):
        arguments = {"depth": depth, "pool_unstrided": True}
        yield Entry(f"res2net{depth}d", family, Res2Net, arguments, key_maps=DEEP_STEM)


def _hrnets() -> Iterator[Entry]:
    for width in (18, 30, 32, 40, 44, 48, 64):
        name, v2 = f"hrnet_w{width}", f"hrnetv2_w{width}"
        stages = {"extra": hrnet_stages(width)}
        known = width in (18, 32, 40, 48)
        weights = open_mmlab(f"msra/{v2}", licence="MIT", classifier=True) if known else ()
        yield Entry(name, "HRNetV2", HRNet, stages, weights, (v2,), HRNET)
        if width in (18, 48):
            ssld = stages | {"head_bias": False}
            yield Entry(f"{name}_ssld", "HRNetV2", HRNet, ssld, key_maps=HRNET)
    small = {"extra": hrnet_stages(18, (1, 1, 3, 2), (2, 2, 2, 2))}
    weights = open_mmlab("msra/hrnetv2_w18_small", licence="MIT", classifier=True)
    aliases = ("hrnetv2_w18_small",)
    yield Entry("hrnet_w18_small_v2", "HRNetV2", HRNet, small, weights, aliases, HRNET)
    smaller = {"extra": hrnet_stages(16, (1, 1, 1, 1), (1, 2, 2, 2), planes=32)}
    yield Entry("hrnet_w18_small", "HRNetV2", HRNet, smaller, key_maps=HRNET)


# The paper's authors have weights of these, and torchvision of those.
_PYCLS = ("400mf", "800mf", "1.6gf", "3.2gf", "4.0gf", "6.4gf", "8.0gf", "12gf")
_TORCHVISION_REGNETS = {
    "regnetx_400mf_tv": ("regnet_x_400mf", V1, V2),
    "regnetx_800mf": ("regnet_x_800mf", V1, V2),
    "regnetx_1.6gf": ("regnet_x_1_6gf", V1, V2),
    "regnetx_3.2gf": ("regnet_x_3_2gf", V1, V2),
    "regnetx_8.0gf": ("regnet_x_8gf", V1, V2),
    "regnetx_16gf": ("regnet_x_16gf", V1, V2),
    "regnetx_32gf": ("regnet_x_32gf", V1, V2),
    "regnety_400mf": ("regnet_y_400mf", V1, V2),
    "regnety_800mf_tv": ("regnet_y_800mf", V1, V2),
    "regnety_1.6gf": ("regnet_y_1_6gf", V1, V2),
    "regnety_3.2gf": ("regnet_y_3_2gf", V1, V2),
    "regnety_8.0gf_tv": ("regnet_y_8gf", V1, V2),
    "regnety_16gf": ("regnet_y_16gf", V1, V2, SWAG_E2E, SWAG_LINEAR),
    "regnety_32gf": ("regnet_y_32gf", V1, V2, SWAG_E2E, SWAG_LINEAR),
    "regnety_128gf": ("regnet_y_128gf", SWAG_E2E, SWAG_LINEAR),
}


def _timm_regnet(arch: str) -> str:
    """Spell a RegNet as timm does: ``regnetx_3.2gf`` is ``regnetx_032``."""
    family, size, *variant = arch.split("_")
    tenths = float(size[:-2]) * (10 if size.endswith("gf") else 0.01)
    return "_".join((family, f"{round(tenths):03}", *variant))


def _regnets() -> Iterator[Entry]:
    for name in DESIGNS:
        aliases: tuple[str, ...] = (_timm_regnet(name),)
        weights: tuple[Weights, ...] = ()
        if name in _TORCHVISION_REGNETS:
            theirs, *tags = _TORCHVISION_REGNETS[name]
            aliases, weights = (*aliases, theirs), torchvision(theirs, *tags)
        if name.removeprefix("regnetx_") in _PYCLS:
            weights += open_mmlab(name, PYCLS, "MIT")
        yield Entry(name, "RegNet", RegNet, {"arch": name}, weights, aliases, REGNET)


def _vggs() -> Iterator[Entry]:
    for depth in VGG_DEPTHS:
        for bn in (False, True):
            name = f"vgg{depth}{'_bn' * bn}"
            tags = (V1, FEATURES) if name == "vgg16" else (V1,)
            weights = torchvision(name, *tags) + mmcls(name)
            maps = {
                "torchvision": "torchvision/same",
                "torchvision-features": "torchvision/vgg_features",
                "mmcls": f"mmcls/{name}",
                "timm": "timm/vgg",
            }
            yield Entry(name, "VGG", VGG, {"depth": depth, "with_bn": bn}, weights, key_maps=maps)
    caffe = {"depth": 16, "with_last_pool": False, "ceil_mode": True}
    weights = open_mmlab("vgg16_caffe", VGG_CAFFE, "CC-BY-4.0")
    yield Entry("vgg16_caffe", "VGG Caffe", VGG, caffe, weights, key_maps=BACKBONE)


def _mobile_nets() -> Iterator[Entry]:
    family = "MobileNetV2"
    maps = {name: f"{name}/mobilenet_v2" for name in ("torchvision", "mmcls", "timm")} | BACKBONE
    weights = (
        *torchvision("mobilenet_v2", V1, V2),
        *mmcls("mobilenet_v2"),
        *open_mmlab("mmdet/mobilenet_v2", licence="Apache-2.0"),
    )
    aliases = ("mobilenetv2_100",)
    yield Entry("mobilenet_v2", family, MobileNetV2, {}, weights, aliases, maps)
    for percent in (35, 50, 75, 140):
        name, arguments = f"mobilenetv2_{percent:03}", {"widen_factor": percent / 100}
        yield Entry(name, family, MobileNetV2, arguments, key_maps=maps)


def _efficient_nets() -> Iterator[Entry]:
    hashes = ("0aa007d2", "bde8b488", "dcccb7df", "b733e338", "741542c3")
    for (arch, scaling), digest in zip(SCALINGS.items(), hashes, strict=True):
        side = scaling.image_size
        images = Preprocessing(side, (127.0,) * 3, (128.0,) * 3, crop=side / (side + 32))
        theirs = f"tf_efficientnet_{arch}"
        yield Entry(
            f"efficientnet_{arch}",
            "EfficientNet-Lite",
            EfficientNetLite,
            {"arch": arch},
            timm("in1k", f"{theirs}-{digest}.pth", images),
            (theirs,),
            {
                "timm": "timm/efficientnet_lite",
                "efficientnet_lite_pytorch": f"efficientnet_lite_pytorch/{arch}",
            },
        )


def _others() -> Iterator[Entry]:
    maps = {"torchvision": "torchvision/same"}
    yield Entry("alexnet", "AlexNet", AlexNet, {}, torchvision("alexnet", V1), key_maps=maps)
    weights = open_mmlab("darknet53", DARKNET)
    yield Entry("darknet53", "DarkNet", Darknet, {}, weights, key_maps=BACKBONE)


def _table(*groups: Iterable[Entry]) -> dict[str, Entry]:
    return {entry.name: entry for group in groups for entry in group}


ENTRIES = _table(
    _resnets(),
    _caffe_resnets(),
    _group_norm_resnets(),
    _resnexts(),
    _res2nets(),
    _hrnets(),
    _regnets(),
    _vggs(),
    _mobile_nets(),
    _efficient_nets(),
    _others(),
)
"""Every network by its name."""
