"""Store facts about torchvision's and timm's models.

    python make_reference.py [PATTERN]

Needs torchvision and timm, and nothing of this project. Writes ``networks.json.gz``: for each
model of ``cases.py`` the names and shapes of its parameters and, unless it is large, the first 32
of its logits (or of its pooled features) for one image, all filled by ``cases.fill``; and
``torchvision_weights.json``: size and preprocessing of each of torchvision's checkpoints of them.
With a PATTERN such as ``timm-convnext*``, renews only the models that match and keeps the others.
"""

from __future__ import annotations

import fnmatch
import gzip
import json
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import timm
import torch
import torchvision
from cases import CASES, MEASURED, MOST_PARAMETERS, TORCHVISION, Case, fill, image

NETWORKS = Path(__file__).with_name("networks.json.gz")
WEIGHTS = Path(__file__).with_name("torchvision_weights.json")


def build(case: Case) -> torch.nn.Module:
    if case.library == "torchvision":
        return torchvision.models.get_model(case.name).eval()
    with torch.device("meta"):
        return timm.create_model(case.name).eval()


@torch.no_grad()
def outputs(case: Case, model: torch.nn.Module) -> list[float]:
    state = {key: fill(key, tuple(value.shape)) for key, value in model.state_dict().items()}
    model.load_state_dict(state, assign=True)
    out = model(image())
    return [round(x, 7) for x in (out.mean((2, 3)) if case.features else out)[0, :32].tolist()]


def facts(case: Case) -> dict[str, Any]:
    model = build(case)
    keys = {key: list(value.shape) for key, value in model.state_dict().items()}
    if case.features:
        model = torch.nn.Sequential(OrderedDict(features=model.features))
    small = sum(p.numel() for p in model.parameters()) <= MOST_PARAMETERS
    out = outputs(case, model) if small or str(case) in MEASURED else None
    return {"keys": keys, "out": out}


def weights() -> dict[str, object]:
    stored = {}
    for name in TORCHVISION:
        for member in torchvision.models.get_model_weights(name):
            transforms = member.transforms()
            stored[f"torchvision://{name}.{member.name.lower()}"] = {
                "parameters": member.meta["num_params"],
                "gflops": member.meta["_ops"],
                "license": member.meta.get("license"),
                "size": transforms.crop_size[0],
                "resize": transforms.resize_size[0],
                "mean": transforms.mean,
                "std": transforms.std,
                "interpolation": transforms.interpolation.value,
            }
    return stored


def main() -> None:
    pattern = sys.argv[1] if len(sys.argv) > 1 else "*"
    stored = json.loads(gzip.decompress(NETWORKS.read_bytes()))["networks"] if sys.argv[1:] else {}
    for case in CASES:
        if fnmatch.fnmatch(str(case), pattern):
            stored[str(case)] = facts(case)
            print(case)
    versions = {"torchvision": torchvision.__version__, "timm": timm.__version__}
    text = json.dumps({"versions": versions, "networks": stored}, separators=(",", ":"))
    NETWORKS.write_bytes(gzip.compress(text.encode(), mtime=0))
    WEIGHTS.write_text(json.dumps(weights(), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
