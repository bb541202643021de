"""Train a segmentor by mmseg's own `train_segmentor`, and print its losses as JSON.

    python train.py ours mmcv-1.7.2 work_dir         # brickwork in front of mmcv's sources
    python train.py original mmcv-1.7.2 work_dir

`mmcv-1.7.2` is a folder with mmcv's sources: its runner and hooks need no compiled operators. The
pictures are made here. The first 20 iterations start from random weights; 5 more go on
from the checkpoint of the first by `load_from`.
"""

import argparse
import importlib
import importlib.util
import json
import random
import shutil
import sys
import types
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch
from components import define_operators_of_torchvision

CONFIG = "fcn/fcn_r50-d8_512x512_20k_voc12aug.py"


def make_pictures(folder: Path) -> None:
    """Write four pictures of a bright square on noise, and the masks of the squares."""
    random_numbers = np.random.default_rng(0)
    for index in range(4):
        picture = random_numbers.integers(0, 100, (64, 64, 3), dtype=np.uint8)
        mask = np.zeros((64, 64), dtype=np.uint8)
        top, left = random_numbers.integers(0, 32, 2)
        picture[top : top + 32, left : left + 32] += 150
        mask[top : top + 32, left : left + 32] = 1
        for name, array in (("images", picture), ("masks", mask)):
            (folder / name).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / name / f"{index}.png"), array)


def train(work: Path, iterations: int, load_from: str | None) -> list[float]:
    """Train for some iterations and return the loss of each."""
    mmcv = importlib.import_module("mmcv")
    apis = importlib.import_module("mmseg.apis")
    datasets = importlib.import_module("mmseg.datasets")
    models = importlib.import_module("mmseg.models")
    package = Path(importlib.util.find_spec("mmseg").origin).parent
    cfg = mmcv.Config.fromfile(str(package / ".mim" / "configs" / CONFIG))
    cfg.model.pretrained = None
    norm = dict(type="BN", requires_grad=True)
    cfg.model.backbone.update(depth=18, norm_cfg=norm)
    cfg.model.decode_head.update(in_channels=512, channels=32, num_classes=2, norm_cfg=norm)
    cfg.model.auxiliary_head.update(in_channels=256, channels=16, num_classes=2, norm_cfg=norm)
    cfg.runner = dict(type="IterBasedRunner", max_iters=iterations)
    cfg.checkpoint_config = dict(by_epoch=False, interval=iterations)
    cfg.log_config = dict(interval=1, hooks=[dict(type="TextLoggerHook", by_epoch=False)])
    cfg.load_from, cfg.resume_from = load_from, None
    cfg.work_dir, cfg.gpu_ids, cfg.seed, cfg.device = str(work), [0], 0, "cpu"
    cfg.data = dict(samples_per_gpu=2, workers_per_gpu=0, persistent_workers=False)
    pipeline = [
        dict(type="LoadImageFromFile"),
        dict(type="LoadAnnotations"),
        dict(type="RandomFlip", prob=0.5),
        dict(type="Normalize", mean=[100.0] * 3, std=[50.0] * 3, to_rgb=True),
        dict(type="DefaultFormatBundle"),
        dict(type="Collect", keys=["img", "gt_semantic_seg"]),
    ]
    options = dict(img_dir="images", ann_dir="masks", img_suffix=".png", data_root=str(work.parent))
    dataset = datasets.CustomDataset(pipeline, **options, classes=("ground", "square"))
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    model = models.build_segmentor(cfg.model)
    model.init_weights()
    model.CLASSES = dataset.CLASSES
    apis.train_segmentor(model, dataset, cfg, distributed=False, validate=False, meta={})
    (log,) = work.glob("*.log.json")
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    return [row["loss"] for row in rows if row.get("mode") == "train"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", choices=["ours", "original"])
    parser.add_argument("mmcv", type=Path, help="folder of mmcv's sources")
    parser.add_argument("work", type=Path)
    parser.add_argument("--against", type=Path, help="the losses of the original")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    define_operators_of_torchvision()
    sys.path.insert(0, str(arguments.mmcv))
    if arguments.side == "ours":
        from brickwork.compat import install

        install("mmcv")
    else:  # mmseg imports operators, which nothing here calls
        extension = types.ModuleType("mmcv._ext")
        extension.__getattr__ = lambda name: None
        sys.modules["mmcv._ext"] = extension
    shutil.rmtree(arguments.work, ignore_errors=True)
    make_pictures(arguments.work)
    first = train(arguments.work / "first", 20, None)
    checkpoint = str(arguments.work / "first" / "iter_20.pth")
    second = train(arguments.work / "second", 5, checkpoint)
    losses = {"torch": torch.__version__, "first": first, "second": second}
    print(json.dumps(losses))
    if arguments.against and losses != json.loads(arguments.against.read_text()):
        sys.exit(f"the losses are not those of {arguments.against}")


if __name__ == "__main__":
    main()
