"""Store the names and shapes of the parameters of OpenMMLab's backbones.

    python make_openmmlab_keys.py FOLDER

``FOLDER`` holds the unpacked wheels of mmcls 0.25.0 and mmdet 2.28.2; mmcv 1.7.2 is installed.
Only the files of backbones are imported, since the rest needs mmcv's compiled operators. Writes
``openmmlab_keys.json.gz``: names and shapes by the zoo's name of each checkpoint.
"""

from __future__ import annotations

import gzip
import importlib
import json
import sys
import types
from pathlib import Path

from mmcv.cnn import VGG
from mmcv.utils import Registry


def skeleton(folder: Path, package: str) -> None:
    """Make a package whose files can be imported without running its ``__init__``."""
    for name in (
        package,
        f"{package}.models",
        f"{package}.models.backbones",
        f"{package}.models.utils",
    ):
        module = types.ModuleType(name)
        module.__path__ = [str(folder / name.replace(".", "/"))]
        sys.modules[name] = module
    builder = types.ModuleType(f"{package}.models.builder")
    for registry in ("BACKBONES", "NECKS"):
        setattr(builder, registry, Registry(registry.lower()))
    sys.modules[builder.__name__] = builder


def hrnet(width: int, modules: tuple[int, ...] = (1, 4, 3), blocks: int = 4) -> dict[str, object]:
    first = dict(
        num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(blocks,), num_channels=(64,)
    )
    stages = {"stage1": first}
    for i, number in enumerate(modules, start=2):
        widths = tuple(width * 2**j for j in range(i))
        stages[f"stage{i}"] = dict(
            num_modules=number,
            num_branches=i,
            block="BASIC",
            num_blocks=(blocks,) * i,
            num_channels=widths,
        )
    return stages


def main() -> None:
    folder = Path(sys.argv[1])
    skeleton(folder, "mmdet")
    skeleton(folder, "mmcls")
    utils = sys.modules["mmdet.models.utils"]
    for name, attributes in (
        ("res_layer", ("ResLayer",)),
        ("se_layer", ("SELayer",)),
        ("inverted_residual", ("InvertedResidual",)),
        ("make_divisible", ("make_divisible",)),
    ):
        module = importlib.import_module(f"mmdet.models.utils.{name}")
        for attribute in attributes:
            setattr(utils, attribute, getattr(module, attribute))
    det = {
        name: getattr(importlib.import_module(f"mmdet.models.backbones.{name}"), cls)
        for name, cls in (
            ("resnet", "ResNet"),
            ("resnext", "ResNeXt"),
            ("res2net", "Res2Net"),
            ("hrnet", "HRNet"),
            ("regnet", "RegNet"),
            ("mobilenet_v2", "MobileNetV2"),
            ("darknet", "Darknet"),
        )
    }
    gn = dict(norm_cfg=dict(type="GN", num_groups=32))
    ws = dict(**gn, conv_cfg=dict(type="ConvWS"))
    x4 = dict(groups=32, base_width=4)
    models = {"vgg16_caffe": VGG(16, with_last_pool=False, ceil_mode=True)}
    for depth in (50, 101):
        for source in ("detectron", "detectron2"):
            models[f"{source}/resnet{depth}_caffe"] = det["resnet"](depth, style="caffe")
        models[f"detectron/resnet{depth}_gn"] = det["resnet"](depth, **gn)
        models[f"jhu/resnet{depth}_gn_ws"] = det["resnet"](depth, **ws)
        models[f"resnext{depth}_32x4d"] = det["resnext"](depth=depth, **x4)
        models[f"jhu/resnext{depth}_32x4d_gn"] = det["resnext"](depth=depth, **x4, **gn)
        models[f"jhu/resnext{depth}_32x4d_gn_ws"] = det["resnext"](depth=depth, **x4, **ws)
    models["contrib/resnet50_gn"] = det["resnet"](50, **gn)
    models["detectron2/resnext101_32x8d"] = det["resnext"](depth=101, groups=32, base_width=8)
    models["resnext101_64x4d"] = det["resnext"](depth=101, groups=64, base_width=4)
    for depth in (18, 50, 101):
        models[f"resnet{depth}_v1c"] = det["resnet"](depth, deep_stem=True)
    for width in (18, 32, 40, 48):
        models[f"msra/hrnetv2_w{width}"] = det["hrnet"](hrnet(width))
    models["msra/hrnetv2_w18_small"] = det["hrnet"](hrnet(18, (1, 3, 2), 2))
    models["res2net101_v1d_26w_4s"] = det["res2net"](depth=101)
    for size in ("400mf", "800mf", "1.6gf", "3.2gf", "4.0gf", "6.4gf", "8.0gf", "12gf"):
        models[f"regnetx_{size}"] = det["regnet"](f"regnetx_{size}")
    models["darknet53"] = det["darknet"]()
    models["mmdet/mobilenet_v2"] = det["mobilenet_v2"]()
    stored = {
        name: {key: list(value.shape) for key, value in model.state_dict().items()}
        for name, model in models.items()
    }
    path = Path(__file__).with_name("openmmlab_keys.json.gz")
    path.write_bytes(gzip.compress(json.dumps(stored, separators=(",", ":")).encode(), mtime=0))
    print({name: len(keys) for name, keys in stored.items()})


if __name__ == "__main__":
    main()
