"""Run detectors of mmdet 2.28.2 that need mmcv's operators, and compare with mmcv's.

    python operators.py original operators.json               # over mmcv 1.7.2 with its operators
    python operators.py ours result.json --against operators.json

Each detector is built from the config that mmdet ships, with weights drawn under one seed. It is
trained on a picture for one step and detects objects in it. The record has digests of the keys and
of the weights, the losses, the gradients' norms and the detections. FPN-CARAFE is not run with
mmcv, whose kernel for it needs a GPU.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

CONFIGS = {
    "DCNv2 ResNet-50, Faster R-CNN": "dcnv2/faster_rcnn_r50_fpn_mdconv_c3-c5_1x_coco.py",
    "DCN ResNet-50, Faster R-CNN": "dcn/faster_rcnn_r50_fpn_dconv_c3-c5_1x_coco.py",
    "FPN-CARAFE, Faster R-CNN": "carafe/faster_rcnn_r50_fpn_carafe_1x_coco.py",
    "SAC ResNet-50, Cascade R-CNN": "detectors/cascade_rcnn_r50_sac_1x_coco.py",
    "PointRend": "point_rend/point_rend_r50_caffe_fpn_mstrain_1x_coco.py",
    "Deformable DETR": "deformable_detr/deformable_detr_r50_16x2_50e_coco.py",
}
WITHOUT_CPU_KERNEL = ("FPN-CARAFE, Faster R-CNN",)
SIZE = (128, 160)
TOLERANCE = 1e-4  # relative: a backbone of 50 layers in float32
# One of hundreds of sampled boxes may be classified otherwise where two scores are almost equal.
GRADIENT_TOLERANCE = 5e-3


def build(config: str) -> Any:
    import mmdet
    from mmcv import Config
    from mmdet.models import build_detector

    folder = Path(mmdet.__file__).parent / ".mim" / "configs"
    cfg = Config.fromfile(str(folder / config)).model
    cfg.backbone.init_cfg = None
    cfg.backbone.pop("pretrained", None)
    torch.manual_seed(0)
    np.random.seed(0)
    model = build_detector(cfg)
    model.init_weights()
    generator = torch.Generator().manual_seed(1)
    for name, parameter in model.named_parameters():
        if "conv_offset" in name or "offset_s" in name or "offset_l" in name:
            # Offsets of 0 would make plain convolutions of them.
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.data = noise * (0.3 if parameter.dim() == 1 else 0.01)
    return model


def picture() -> tuple[torch.Tensor, list[dict[str, Any]]]:
    values = np.random.default_rng(2).standard_normal((1, 3, *SIZE))
    shape = (*SIZE, 3)
    meta = {
        "img_shape": shape,
        "ori_shape": shape,
        "pad_shape": shape,
        "batch_input_shape": SIZE,
        "scale_factor": np.ones(4, dtype=np.float32),
        "flip": False,
        "filename": "picture.png",
    }
    return torch.from_numpy(values).float(), [meta]


def masks(boxes: torch.Tensor) -> Any:
    from mmdet.core import BitmapMasks

    bitmaps = np.zeros((len(boxes), *SIZE), dtype=np.uint8)
    for bitmap, (x1, y1, x2, y2) in zip(bitmaps, boxes.int().tolist(), strict=True):
        bitmap[y1:y2, x1:x2] = 1
    return BitmapMasks(bitmaps, *SIZE)


def digest(tensors: Any) -> str:
    text = hashlib.sha256()
    for tensor in tensors:
        text.update(tensor.detach().contiguous().numpy().tobytes())
    return text.hexdigest()[:16]


def train(model: Any) -> dict[str, Any]:
    image, metas = picture()
    boxes = torch.tensor([[10.0, 20.0, 70.0, 90.0], [60.0, 30.0, 150.0, 120.0]])
    targets = {"gt_bboxes": [boxes], "gt_labels": [torch.tensor([3, 17])]}
    if getattr(model, "with_mask", False):
        targets["gt_masks"] = [masks(boxes)]
    torch.manual_seed(3)
    np.random.seed(3)
    losses = model.train().forward_train(image, metas, **targets)
    loss, values = model._parse_losses(losses)
    loss.backward()
    norms: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            part = name.split(".")[0]
            norms[part] = norms.get(part, 0.0) + float(parameter.grad.double().square().sum())
    offsets = sum(
        float(p.grad.double().square().sum())
        for n, p in model.named_parameters()
        if "offset" in n and p.grad is not None
    )
    return {
        "losses": {name: float(value) for name, value in values.items() if "acc" not in name},
        "gradients": {name: value**0.5 for name, value in norms.items()},
        "gradients of offsets": offsets**0.5,
    }


def detect(model: Any) -> list[list[float]]:
    image, metas = picture()
    with torch.no_grad():
        results = model.eval().simple_test(image, metas, rescale=True)[0]
    found = results[0] if isinstance(results, tuple) else results
    rows = [[label, *row] for label, boxes in enumerate(found) for row in boxes.tolist()]
    return sorted(rows, key=lambda row: -row[-1])[:20]


def record(name: str, runs: bool) -> dict[str, Any]:
    model = build(CONFIGS[name])
    state = model.state_dict()
    result: dict[str, Any] = {
        "keys": hashlib.sha256("\n".join(state).encode()).hexdigest()[:16],
        "weights": digest(v for v in state.values() if v.is_floating_point()),
    }
    if runs:
        result |= train(model)
        result["detections"] = detect(model)
    return result


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """List where two records differ by more than the tolerance."""
    if isinstance(theirs, dict):
        return [
            d for key in theirs for d in differences(ours.get(key), theirs[key], f"{where} {key}")
        ]
    if isinstance(theirs, list):
        if not isinstance(ours, list) or len(ours) != len(theirs):
            return [f"{where}: another length"]
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{where}[{i}]")]
    if isinstance(theirs, float):
        tolerance = GRADIENT_TOLERANCE if "gradients" in where else TOLERANCE
        near = isinstance(ours, float) and abs(ours - theirs) <= tolerance * max(abs(theirs), 1e-3)
        return [] if near else [f"{where}: {ours} instead of {theirs}"]
    return [] if ours == theirs else [f"{where}: {ours} instead of {theirs}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("side", choices=("original", "ours"))
    parser.add_argument("result", type=Path)
    parser.add_argument("--against", type=Path)
    args = parser.parse_args()
    if args.side == "ours":
        import brickwork.compat

        brickwork.compat.install("mmcv")
    torch.set_num_threads(1)
    results = {}
    for name in CONFIGS:
        runs = args.side == "ours" or name not in WITHOUT_CPU_KERNEL
        results[name] = record(name, runs)
        print(name, results[name].get("losses", {}).get("loss"), flush=True)
    args.result.parent.mkdir(parents=True, exist_ok=True)
    args.result.write_text(json.dumps(results, indent=1) + "\n")
    if not args.against:
        return 0
    found = differences(results, json.loads(args.against.read_text()))
    print("\n".join(found) or "all equal")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
