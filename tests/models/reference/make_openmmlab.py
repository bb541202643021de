"""Store the parameter names, preprocessing and initial weights of OpenMMLab's models.

    python make_openmmlab.py FOLDER

``FOLDER`` holds the unpacked wheels of mmcls 0.25.0 and mmdet 2.28.2; mmcv 1.7.2 is installed. Of
mmdet only the files of backbones are imported, since the rest needs mmcv's compiled operators.
Writes ``openmmlab.json.gz``: by the URI of each checkpoint the names and shapes of its model's
parameters (mmdet's backbones for ``open-mmlab://``, whole classifiers from mmcls' configs for
``mmcls://``), the normalization of images in the configs that name the checkpoint, and for some the
samples of ``cases.samples`` after ``init_weights()`` under seed 0.
"""

from __future__ import annotations

import gzip
import importlib
import json
import logging
import re
import sys
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from cases import samples
from mmcv import Config
from mmcv.cnn import VGG
from mmcv.utils import Registry
from torch import nn

CATALOG = Path(__file__).parents[3] / "packages" / "zoo" / "catalog" / "raw"
MMCLS_FAMILIES = re.compile(r"vgg|resnet|resnext|res2net|mobilenet_v2")
INITIALIZED = (
    "resnet18_v1c",
    "detectron2/resnet50_caffe",
    "jhu/resnet50_gn_ws",
    "msra/hrnetv2_w18_small",
    "regnetx_400mf",
    "mmdet/mobilenet_v2",
    "darknet53",
)
# Configs of mmcls without a name in the catalog.
MORE_CONFIGS = (
    "hrnet/hrnet-w18_4xb32_in1k",
    "regnet/regnetx-400mf_8xb128_in1k",
    "resnet/resnetv1c50_8xb32_in1k",
)


def skeleton(folder: Path, package: str) -> None:
    """Create a package whose files can be imported without running its ``__init__``."""
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
    builder.BACKBONES = Registry("backbones")
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


def mmdet_backbones(folder: Path) -> dict[str, nn.Module]:
    """Build the model of each ``open-mmlab://`` name."""
    skeleton(folder, "mmdet")
    utils = sys.modules["mmdet.models.utils"]
    for name, attribute in (
        ("res_layer", "ResLayer"),
        ("se_layer", "SELayer"),
        ("inverted_residual", "InvertedResidual"),
        ("make_divisible", "make_divisible"),
    ):
        module = importlib.import_module(f"mmdet.models.utils.{name}")
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
    return models


def statistics(values: dict[str, Any]) -> list[Any]:
    return [
        list(values["mean"]),
        list(values["std"]),
        "RGB" if values["to_rgb"] else "BGR",
    ]


def mmdet_statistics(folder: Path) -> dict[str, list[Any]]:
    """Return the normalization that most of mmdet's configs use with each checkpoint."""
    seen: dict[str, Counter[str]] = {}
    for path in (folder / "mmdet" / ".mim" / "configs").rglob("*.py"):
        try:
            config = Config.fromfile(str(path), import_custom_modules=False)
        except (KeyError, FileNotFoundError, TypeError):  # a few need configs of other packages
            continue
        if "img_norm_cfg" in config:
            for name in set(re.findall(r"open-mmlab://([\w/.\-]+)", str(config.get("model")))):
                text = json.dumps(statistics(config.img_norm_cfg))
                seen.setdefault(name, Counter())[text] += 1
    return {name: json.loads(counts.most_common(1)[0][0]) for name, counts in seen.items()}


def mmcls_configs(folder: Path) -> Iterator[tuple[str, Any]]:
    """Yield the URI and the config of each ``mmcls://`` name of an implemented family."""
    home = folder / "mmcls" / ".mim"
    configs = {
        model["Weights"]: model["Config"]
        for path in home.glob("configs/*/metafile.yml")
        for model in yaml.safe_load(path.read_text(encoding="utf-8"))["Models"]
        if "Weights" in model and "Config" in model
    }
    for name, url in json.loads((CATALOG / "mmcls.json").read_text(encoding="utf-8")).items():
        if MMCLS_FAMILIES.match(name):
            yield f"mmcls://{name}", Config.fromfile(str(home / configs[url]))
    for name in MORE_CONFIGS:
        yield name, Config.fromfile(str(home / "configs" / f"{name}.py"))


def shapes(model: nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in model.state_dict().items()}


def initial_samples(model: nn.Module) -> dict[str, list[float]]:
    torch.manual_seed(0)
    model.init_weights()
    return samples(model)


def main() -> None:
    folder = Path(sys.argv[1])
    models, normalization = mmdet_backbones(folder), mmdet_statistics(folder)
    stored = {
        f"open-mmlab://{name}": {"keys": shapes(model), "images": normalization.get(name)}
        for name, model in models.items()
    }
    logging.disable()
    for name, model in models.items():
        if name in INITIALIZED:
            stored[f"open-mmlab://{name}"]["initialized"] = initial_samples(model)
    sys.path.insert(0, str(folder))
    build_classifier = importlib.import_module("mmcls.models").build_classifier
    for uri, config in mmcls_configs(folder):
        model = build_classifier(config.model)
        stored[uri] = {"keys": shapes(model), "images": statistics(config.img_norm_cfg)}
    path = Path(__file__).with_name("openmmlab.json.gz")
    path.write_bytes(gzip.compress(json.dumps(stored, separators=(",", ":")).encode(), mtime=0))
    for uri, facts in stored.items():
        print(uri, len(facts["keys"]), facts["images"])


if __name__ == "__main__":
    main()
