"""The table of networks: how each is built, where its weights are, what images they expect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ._alexnet import AlexNet
from ._darknet import Darknet
from ._efficientnet_lite import SCALINGS, EfficientNetLite
from ._entry import IMAGENET, Entry, Preprocessing, Weights
from ._hrnet import HRNet
from ._hrnet_stages import hrnet_stages
from ._mobilenet_v2 import MobileNetV2
from ._regnet import RegNet
from ._res2net import Res2Net
from ._resnet import ResNet, ResNeXt
from ._typing import Config
from ._vgg import VGG

CAFFE = Preprocessing(mean=(103.53, 116.28, 123.675), std=(1.0, 1.0, 1.0), channel_order="BGR")
DETECTRON = Preprocessing(
    mean=(102.9801, 115.9465, 122.7717), std=(1.0, 1.0, 1.0), channel_order="BGR"
)
PYCLS = Preprocessing(
    mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), channel_order="BGR"
)
VGG_CAFFE = Preprocessing(mean=(123.675, 116.28, 103.53), std=(1.0, 1.0, 1.0))
DARKNET = Preprocessing(size=256, mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))


def _torchvision(name: str, *tags: str, key_map: str = "torchvision/same") -> tuple[Weights, ...]:
    return tuple(Weights(tag, f"torchvision://{name}.{tag}", key_map) for tag in tags)


def _mmcls(name: str, key_map: str = "mmcls/same") -> tuple[Weights, ...]:
    return (Weights("mmcls", f"mmcls://{name}", key_map, licence="Apache-2.0"),)


def _open_mmlab(
    name: str, images: Preprocessing = IMAGENET, licence: str = "not stated; ask the authors"
) -> tuple[Weights, ...]:
    uri = f"open-mmlab://{name}"
    return (Weights("open-mmlab", uri, "mmcls/same", images, classifier=False, licence=licence),)


V1, V2 = "imagenet1k_v1", "imagenet1k_v2"
CC_BY_SA = "CC-BY-SA-3.0"


def _resnets() -> Iterator[Entry]:
    for depth in (18, 34, 50, 101, 152):
        tags = (V1,) if depth < 50 else (V1, V2)
        weights = _torchvision(f"resnet{depth}", *tags) + _mmcls(f"resnet{depth}")
        yield Entry(f"resnet{depth}", "ResNet", ResNet, {"depth": depth}, weights)
        deep = {"depth": depth, "deep_stem": True}
        known = depth in (18, 50, 101)
        yield Entry(
            f"resnet{depth}_v1c",
            "ResNet",
            ResNet,
            deep,
            _open_mmlab(f"resnet{depth}_v1c") if known else (),
            (f"resnet{depth}c",),
        )
        yield Entry(
            f"resnet{depth}_v1d",
            "ResNet",
            ResNet,
            {**deep, "avg_down": True},
            _mmcls(f"resnet{depth}_v1d") if depth >= 50 else (),
            (f"resnet{depth}d",),
        )
    for depth in (50, 101):
        yield Entry(
            f"wide_resnet{depth}_2",
            "ResNet",
            ResNet,
            {"depth": depth, "base_width": 128},
            _torchvision(f"wide_resnet{depth}_2", V1, V2),
        )


def _caffe_resnets() -> Iterator[Entry]:
    for depth in (50, 101):
        caffe = {"depth": depth, "style": "caffe"}
        for source, images, licence in (
            ("detectron2", CAFFE, "MIT"),
            ("detectron", DETECTRON, CC_BY_SA),
        ):
            name = f"{source}/resnet{depth}_caffe"
            alias = (f"resnet{depth}_caffe" + "_bgr" * (source == "detectron2"),)
            weights = _open_mmlab(name, images, licence)
            yield Entry(name, "ResNet Caffe", ResNet, caffe, weights, alias)


def _group_norm_resnets() -> Iterator[Entry]:
    gn: Config = {"norm_cfg": {"type": "GN", "num_groups": 32}}
    ws: Config = {**gn, "conv_cfg": {"type": "ConvWS"}}
    for depth in (50, 101):
        name = f"detectron/resnet{depth}_gn"
        weights = _open_mmlab(name, CAFFE, CC_BY_SA)
        if depth == 50:
            contributed = _open_mmlab("contrib/resnet50_gn")[0]
            weights += (Weights("contrib", contributed.uri, contributed.key_map, classifier=False),)
        yield Entry(
            name, "ResNet GN", ResNet, {"depth": depth, **gn}, weights, (f"resnet{depth}_gn",)
        )
        yield Entry(
            f"jhu/resnet{depth}_gn_ws",
            "ResNet GN+WS",
            ResNet,
            {"depth": depth, **ws},
            _open_mmlab(f"jhu/resnet{depth}_gn_ws"),
            (f"resnet{depth}_gn_ws",),
        )
        groups = {"depth": depth, "groups": 32, "base_width": 4}
        for suffix, layers, family in (("gn", gn, "ResNet GN"), ("gn_ws", ws, "ResNet GN+WS")):
            yield Entry(
                f"jhu/resnext{depth}_32x4d_{suffix}",
                family,
                ResNeXt,
                {**groups, **layers},
                _open_mmlab(f"jhu/resnext{depth}_32x4d_{suffix}"),
                (f"resnext{depth}_32x4d_{suffix}",),
            )


def _resnexts() -> Iterator[Entry]:
    for depth, groups, width, tags in (
        (50, 32, 4, (V1, V2)),
        (101, 32, 4, ()),
        (101, 32, 8, (V1, V2)),
        (101, 64, 4, (V1,)),
        (152, 32, 4, ()),
    ):
        name = f"resnext{depth}_{groups}x{width}d"
        arguments = {"depth": depth, "groups": groups, "base_width": width}
        weights = _torchvision(name, *tags)
        if groups == 32:
            weights += _mmcls(name)
        if width == 4 and depth < 152:
            weights += _open_mmlab(name)
        yield Entry(name, "ResNeXt", ResNeXt, arguments, weights)
    caffe: Config = {"depth": 101, "groups": 32, "base_width": 8, "style": "pytorch"}
    name = "detectron2/resnext101_32x8d"
    yield Entry(name, "ResNeXt", ResNeXt, caffe, _open_mmlab(name, PYCLS, CC_BY_SA))


def _res2nets() -> Iterator[Entry]:
    known = ((50, 14, 8), (50, 26, 8), (101, 26, 4))
    name = "res2net101_v1d_26w_4s"
    yield Entry(name, "Res2Net", Res2Net, {"depth": 101}, _open_mmlab(name))
    for depth, width, scales in (
        (50, 14, 8),
        (50, 26, 4),
        (50, 26, 6),
        (50, 26, 8),
        (50, 48, 2),
        (101, 26, 4),
    ):
        arguments = {
            "depth": depth,
            "base_width": width,
            "scales": scales,
            "deep_stem": False,
            "avg_down": False,
            "pool_unstrided": True,
        }
        yield Entry(
            f"res2net{depth}_{width}w_{scales}s",
            "Res2Net",
            Res2Net,
            arguments,
            _mmcls(f"res2net{depth}_w{width}") if (depth, width, scales) in known else (),
        )
    for depth in (50, 101):
        arguments = {"depth": depth, "pool_unstrided": True}
        yield Entry(f"res2net{depth}d", "Res2Net", Res2Net, arguments)


def _hrnets() -> Iterator[Entry]:
    for width in (18, 30, 32, 40, 44, 48, 64):
        name = f"hrnetv2_w{width}"
        weights = _open_mmlab(f"msra/{name}", licence="MIT") if width in (18, 32, 40, 48) else ()
        stages = {"extra": hrnet_stages(width)}
        yield Entry(f"hrnet_w{width}", "HRNetV2", HRNet, stages, weights, (f"msra/{name}", name))
    small = {"extra": hrnet_stages(18, (1, 1, 3, 2), (2, 2, 2, 2))}
    weights = _open_mmlab("msra/hrnetv2_w18_small", licence="MIT")
    aliases = ("msra/hrnetv2_w18_small", "hrnetv2_w18_small")
    yield Entry("hrnet_w18_small_v2", "HRNetV2", HRNet, small, weights, aliases)
    smaller = {"extra": hrnet_stages(16, (1, 1, 1, 1), (1, 2, 2, 2), planes=32)}
    yield Entry("hrnet_w18_small", "HRNetV2", HRNet, smaller)


# Our name (as the paper's authors spell it), timm's and torchvision's.
REGNETS = (
    ("regnetx_200mf", "regnetx_002", None),
    ("regnetx_400mf", "regnetx_004", None),
    ("regnetx_400mf_tv", "regnetx_004_tv", "regnet_x_400mf"),
    ("regnetx_600mf", "regnetx_006", None),
    ("regnetx_800mf", "regnetx_008", "regnet_x_800mf"),
    ("regnetx_1.6gf", "regnetx_016", "regnet_x_1_6gf"),
    ("regnetx_3.2gf", "regnetx_032", "regnet_x_3_2gf"),
    ("regnetx_4.0gf", "regnetx_040", None),
    ("regnetx_6.4gf", "regnetx_064", None),
    ("regnetx_8.0gf", "regnetx_080", "regnet_x_8gf"),
    ("regnetx_12gf", "regnetx_120", None),
    ("regnetx_16gf", "regnetx_160", "regnet_x_16gf"),
    ("regnetx_32gf", "regnetx_320", "regnet_x_32gf"),
    ("regnety_200mf", "regnety_002", None),
    ("regnety_400mf", "regnety_004", "regnet_y_400mf"),
    ("regnety_600mf", "regnety_006", None),
    ("regnety_800mf", "regnety_008", None),
    ("regnety_800mf_tv", "regnety_008_tv", "regnet_y_800mf"),
    ("regnety_1.6gf", "regnety_016", "regnet_y_1_6gf"),
    ("regnety_3.2gf", "regnety_032", "regnet_y_3_2gf"),
    ("regnety_4.0gf", "regnety_040", None),
    ("regnety_6.4gf", "regnety_064", None),
    ("regnety_8.0gf", "regnety_080", "regnet_y_8gf"),
    ("regnety_12gf", "regnety_120", None),
    ("regnety_16gf", "regnety_160", "regnet_y_16gf"),
    ("regnety_32gf", "regnety_320", "regnet_y_32gf"),
    ("regnety_128gf", "regnety_1280", "regnet_y_128gf"),
)
_PYCLS = {
    f"regnetx_{size}"
    for size in ("400mf", "800mf", "1.6gf", "3.2gf", "4.0gf", "6.4gf", "8.0gf", "12gf")
}


def _regnets() -> Iterator[Entry]:
    for name, timm, torchvision in REGNETS:
        weights: tuple[Weights, ...] = ()
        if torchvision == "regnet_y_128gf":
            tag = "imagenet1k_swag_linear_v1"
            weights = _torchvision(torchvision, tag, key_map="torchvision/regnet")
        elif torchvision:
            weights = _torchvision(torchvision, V1, V2, key_map="torchvision/regnet")
        if name in _PYCLS:
            weights += _open_mmlab(name, PYCLS, "MIT")
        aliases = (timm, torchvision) if torchvision else (timm,)
        yield Entry(name, "RegNet", RegNet, {"arch": name}, weights, aliases)


def _vggs() -> Iterator[Entry]:
    for depth in (11, 13, 16, 19):
        for bn in (False, True):
            name = f"vgg{depth}" + "_bn" * bn
            weights = _torchvision(name, V1) + _mmcls(name, f"mmcls/{name}")
            yield Entry(name, "VGG", VGG, {"depth": depth, "with_bn": bn}, weights)
    caffe = {"depth": 16, "with_last_pool": False, "ceil_mode": True}
    weights = _open_mmlab("vgg16_caffe", VGG_CAFFE, "CC-BY-4.0")
    yield Entry("vgg16_caffe", "VGG Caffe", VGG, caffe, weights)


def _others() -> Iterator[Entry]:
    yield Entry("alexnet", "AlexNet", AlexNet, {}, _torchvision("alexnet", V1))
    weights = (
        *_torchvision("mobilenet_v2", V1, V2, key_map="torchvision/mobilenet_v2"),
        *_mmcls("mobilenet_v2", "mmcls/mobilenet_v2"),
        *_open_mmlab("mmdet/mobilenet_v2", licence="Apache-2.0"),
    )
    aliases = ("mobilenetv2_100", "mmdet/mobilenet_v2")
    yield Entry("mobilenet_v2", "MobileNetV2", MobileNetV2, {}, weights, aliases)
    yield Entry("darknet53", "DarkNet", Darknet, {}, _open_mmlab("darknet53", DARKNET))
    for arch, scaling in SCALINGS.items():
        images = Preprocessing(scaling.image_size, (127.0,) * 3, (128.0,) * 3)
        number = arch.removeprefix("lite")
        yield Entry(
            f"efficientnet_{arch}",
            "EfficientNet-Lite",
            EfficientNetLite,
            {"arch": arch},
            (),
            (f"tf_efficientnet_lite{number}",),
            images,
        )


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
    _others(),
)
"""Every network by its name."""

ALIASES = {alias: entry.name for entry in ENTRIES.values() for alias in entry.aliases}
"""Other names of the networks."""
