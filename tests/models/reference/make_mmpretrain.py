"""Store the parameter names and preprocessing of mmpretrain's checkpoints.

    hatch run downstream:python tests/models/reference/make_mmpretrain.py

The environment has mmpretrain 1.2.0 and mmengine, and `brickwork.compat` in the place of mmcv.
Writes ``mmpretrain.json.gz``: by URI the names and shapes of the parameters of the model in the
checkpoint's config, each part built by mmpretrain's own class (of self-supervised methods the
backbone), and how a test image is prepared.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import torch
import yaml
from brickwork.compat import install

NAMES = re.compile(
    r"(hrnet-w|regnetx-|resnetv1c|wide-resnet|convnext-(?!v2)|resnet\d+_8xb(16_cifar|256-rsb|8_cub|32-fp16)"
    r"|(byol|densecl|mocov2|mocov3|simclr|simsiam|swav|barlowtwins)_resnet50"
    r"|resnet50_(byol|densecl|mocov2|mocov3|simclr|simsiam|swav|barlowtwins|spark)\S*-pre)"
)


def import_models(folder: Path) -> types.ModuleType:
    """Import mmpretrain's backbones, necks and linear head without its training code."""
    for name, path in (
        ("mmpretrain", folder),
        ("mmpretrain.models", folder / "models"),
        ("mmpretrain.models.heads", folder / "models" / "heads"),
    ):
        shell = types.ModuleType(name)
        shell.__path__ = [str(path)]
        sys.modules[name] = shell
    metrics = types.ModuleType("mmpretrain.evaluation.metrics")
    metrics.Accuracy = None  # the head computes it while training only
    sys.modules[metrics.__name__] = metrics
    sys.modules["mmpretrain.evaluation"] = types.ModuleType("mmpretrain.evaluation")
    sys.modules["mmpretrain.models"].build_classifier = None  # imported, but not used
    for part in ("builder", "backbones", "necks", "losses", "heads.linear_head"):
        importlib.import_module(f"mmpretrain.models.{part}")
    return importlib.import_module("mmpretrain.registry")


def shapes(prefix: str, module: torch.nn.Module) -> dict[str, list[int]]:
    return {f"{prefix}.{key}": list(v.shape) for key, v in module.state_dict().items()}


def keys(models: Any, model: dict[str, Any]) -> dict[str, list[int]]:
    result = shapes("backbone", models.build(model["backbone"]))
    if model["type"] != "ImageClassifier":
        return result
    if model.get("neck"):
        necks = model["neck"] if isinstance(model["neck"], list) else [model["neck"]]
        prefixes = [f"neck.{i}" for i in range(len(necks))] if len(necks) > 1 else ["neck"]
        for prefix, neck in zip(prefixes, necks, strict=True):
            result |= shapes(prefix, models.build(neck))
    return result | shapes("head", models.build(model["head"]))


def preprocessing(config: Any) -> dict[str, Any]:
    """Return statistics, channel order, resized length, crop and interpolation of a test image."""
    values = dict(config["data_preprocessor"])
    loader = config.get("test_dataloader") or config["train_dataloader"]
    steps = {step["type"]: step for step in loader["dataset"]["pipeline"]}
    resize = steps.get("ResizeEdge") or steps.get("Resize")
    crop = steps.get("CenterCrop") or {}
    return {
        "mean": list(values["mean"]),
        "std": list(values["std"]),
        # CIFAR's images are read as RGB and not converted.
        "order": "RGB" if values.get("to_rgb") or "CIFAR" in loader["dataset"]["type"] else "BGR",
        "resize": resize and resize["scale"],
        "crop": crop.get("crop_size"),
        "square": bool(resize) and resize["type"] == "Resize",
        "interpolation": resize and resize.get("interpolation", "bilinear"),
    }


def main() -> None:
    install("mmengine")
    folder = Path(importlib.util.find_spec("mmpretrain").submodule_search_locations[0])
    models = import_models(folder).MODELS
    from mmengine.config import Config

    stored = {}
    for path in sorted(folder.glob(".mim/configs/*/metafile.yml")):
        for row in yaml.safe_load(path.read_text(encoding="utf-8"))["Models"]:
            if NAMES.match(row["Name"]):
                config = Config.fromfile(str(folder / ".mim" / row["Config"]))
                facts = {"keys": keys(models, config.model), **preprocessing(config)}
                stored[f"mmpretrain://{row['Name']}"] = facts
                print(row["Name"], len(facts["keys"]))
    path = Path(__file__).with_name("mmpretrain.json.gz")
    path.write_bytes(gzip.compress(json.dumps(stored, separators=(",", ":")).encode(), mtime=0))


if __name__ == "__main__":
    main()
