"""Store what torchvision's and timm's networks are and say.

    python make_reference.py

Needs torchvision and timm, and nothing of this project. Writes ``networks.json.gz``: for each
network of ``cases.py`` the names and shapes of its parameters and, unless it is large, the first 32
of its scores (or of its pooled features) for one image, all filled by ``cases.fill``; and
``torchvision_weights.json``: size and images of each of torchvision's checkpoints of them.
"""

from __future__ import annotations

import gzip
import json
from collections import OrderedDict
from pathlib import Path

import timm
import torch
import torchvision
from cases import CASES, MEASURED, MOST_PARAMETERS, TORCHVISION, Case, fill, image

HERE = Path(__file__).parent


def network(case: Case) -> torch.nn.Module:
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


def networks() -> dict[str, object]:
    stored = {}
    for case in CASES:
        model = network(case)
        keys = {key: list(value.shape) for key, value in model.state_dict().items()}
        if case.features:
            model = torch.nn.Sequential(OrderedDict(features=model.features))
        small = sum(p.numel() for p in model.parameters()) <= MOST_PARAMETERS
        out = outputs(case, model) if small or str(case) in MEASURED else None
        stored[str(case)] = {"keys": keys, "out": out}
        print(case)
    return stored


def weights() -> dict[str, object]:
    stored = {}
    for name in TORCHVISION:
        for one in torchvision.models.get_model_weights(name):
            images = one.transforms()
            stored[f"torchvision://{name}.{one.name.lower()}"] = {
                "parameters": one.meta["num_params"],
                "gflops": one.meta["_ops"],
                "licence": one.meta.get("license"),
                "size": images.crop_size[0],
                "resize": images.resize_size[0],
                "mean": images.mean,
                "std": images.std,
                "interpolation": images.interpolation.value,
            }
    return stored


def main() -> None:
    versions = {"torchvision": torchvision.__version__, "timm": timm.__version__}
    text = json.dumps({"versions": versions, "networks": networks()}, separators=(",", ":"))
    (HERE / "networks.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    text = json.dumps(weights(), indent=1) + "\n"
    (HERE / "torchvision_weights.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
