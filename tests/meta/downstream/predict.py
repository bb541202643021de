"""Predict on a photograph by a segmentor and detectors that are built from shipped configs.

    python predict.py ours result.json --against predict.json
    python predict.py original predict.json       # with a compiled mmcv 1.7.2 on the path

Each model gets random weights under one seed, is saved, is built again and loads them. A record has
digests of the weights and of the mask, or of the boxes, and numbers that bear rounding.
"""

import argparse
import importlib
import importlib.util
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from components import define_operators_of_torchvision
from fingerprint import digest
from skimage import data, transform

CONFIGS = {
    "PSPNet": ("mmseg", "pspnet/pspnet_r50-d8_512x512_20k_voc12aug.py"),
    "UPerNet with Swin": (
        "mmseg",
        "swin/upernet_swin_tiny_patch4_window7_512x512_160k_ade20k_pretrain_224x224_1K.py",
    ),
    "Faster R-CNN with DCNv2": ("mmdet", "dcnv2/faster_rcnn_r50_fpn_mdconv_c3-c5_1x_coco.py"),
    "Deformable DETR": ("mmdet", "deformable_detr/deformable_detr_r50_16x2_50e_coco.py"),
}
SIZE = 128


def photograph() -> torch.Tensor:
    """Return a normalized photograph `(1, 3, SIZE, SIZE)`."""
    picture = transform.resize(data.astronaut(), (SIZE, SIZE))
    return torch.tensor((picture - 0.45) / 0.22, dtype=torch.float32).permute(2, 0, 1)[None]


def build(package: str, path: str) -> Any:
    """Build the model of a shipped config, without weights to download."""
    folder = Path(importlib.util.find_spec(package).origin).parent / ".mim" / "configs"
    cfg = importlib.import_module("mmcv").Config.fromfile(str(folder / path))
    cfg.model.pretrained = None
    cfg.model.backbone.init_cfg = None
    builder = importlib.import_module(f"{package}.models.builder")
    if package == "mmseg":
        cfg.model.test_cfg.mode = "whole"
        for part in (cfg.model.backbone, cfg.model.decode_head, cfg.model.auxiliary_head):
            if part.get("norm_cfg", {}).get("type") == "SyncBN":
                part.norm_cfg.type = "BN"
        return builder.build_segmentor(cfg.model)
    if "rcnn" in (cfg.model.test_cfg or {}):
        cfg.model.test_cfg.rcnn.score_thr = 0.0  # random weights are not sure of anything
    return builder.build_detector(cfg.model)


def predict(package: str, path: str) -> dict[str, Any]:
    """Return the record of a model."""
    runner = importlib.import_module("mmcv.runner")
    torch.manual_seed(0)
    model = build(package, path)
    model.init_weights()
    for name, parameter in model.named_parameters():
        if "conv_offset" in name:  # zeros, with which a deformable convolution is a plain one
            torch.nn.init.normal_(parameter, std=0.05)
    with tempfile.TemporaryDirectory() as folder:
        runner.save_checkpoint(model, f"{folder}/model.pth", meta={"CLASSES": ("thing",)})
        weights = digest(list(model.state_dict().values()))
        model = build(package, path)
        runner.load_checkpoint(model, f"{folder}/model.pth", map_location="cpu", strict=True)
    model.eval()
    shape = (SIZE, SIZE, 3)
    meta = {
        "ori_shape": shape,
        "img_shape": shape,
        "pad_shape": shape,
        "batch_input_shape": shape[:2],
        "scale_factor": np.ones(4, dtype=np.float32),
        "flip": False,
    }
    with torch.no_grad():
        (result,) = model(return_loss=False, rescale=True, img=[photograph()], img_metas=[[meta]])
    arrays = [torch.as_tensor(array) for array in (result if package == "mmdet" else [result])]
    record = {"weights": weights, "result": digest(arrays)}
    if package == "mmdet":
        boxes = torch.cat(arrays)
        best = boxes[boxes[:, 4].argsort(descending=True, stable=True)][:10]
        return {**record, "boxes": len(boxes), "best": best.double().mean(0).tolist()}
    classes, pixels = np.unique(np.asarray(result), return_counts=True)
    return {**record, "pixels": {str(c): int(n) for c, n in zip(classes, pixels, strict=True)}}


def differences(record: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Return what differs by more than rounding."""
    wrong = [] if record["weights"] == expected["weights"] else ["weights"]
    if "pixels" in expected:
        ours, original = record["pixels"], expected["pixels"]
        moved = sum(abs(ours.get(c, 0) - original.get(c, 0)) for c in {*ours, *original}) / 2
        return wrong if moved <= SIZE * SIZE // 1000 else [*wrong, "mask"]
    close = np.allclose(record["best"], expected["best"], rtol=1e-3, atol=1e-3)
    same_count = abs(record["boxes"] - expected["boxes"]) <= 1
    return wrong if close and same_count else [*wrong, "boxes"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", choices=["ours", "original"])
    parser.add_argument("result", type=Path)
    parser.add_argument("--against", type=Path, help="the record of the original")
    arguments = parser.parse_args()
    arguments.result.parent.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    define_operators_of_torchvision()
    if arguments.side == "ours":
        from brickwork.compat import install

        install("mmcv")
    records = {}
    for name, (package, path) in CONFIGS.items():
        importlib.import_module(f"{package}.models")
        records[name] = predict(package, path)
        print(name, {key: value for key, value in records[name].items() if key != "pixels"})
    arguments.result.write_text(json.dumps(records, indent=1) + "\n")
    if arguments.against is None:
        return
    failed = False
    for name, expected in json.loads(arguments.against.read_text()).items():
        wrong = differences(records[name], expected)
        same = "the same bits" if records[name] == expected else "equal up to rounding"
        print(f"{name}: {', '.join(wrong) + ' differ' if wrong else same}")
        failed |= bool(wrong)
    sys.exit(failed)


if __name__ == "__main__":
    main()
