"""Store what torchvision's and timm's networks are and say.

    python make_reference.py

Needs torchvision and timm, and nothing of this project. Writes ``networks.json.gz``: for each
network of ``cases.py`` the names and shapes of its parameters and the first 32 of its scores
(or of its pooled features) for one image, all filled by ``cases.fill``.
"""

from __future__ import annotations

import gzip
import json
from collections import OrderedDict
from pathlib import Path

import timm
import torch
import torchvision
from cases import CASES, fill, image


@torch.no_grad()
def main() -> None:
    stored = {}
    for case in CASES:
        make = timm.create_model if case.library == "timm" else torchvision.models.get_model
        model = make(case.theirs)
        if case.features:
            model = torch.nn.Sequential(OrderedDict(features=model.features))
        model.eval()
        state = {key: fill(key, tuple(value.shape)) for key, value in model.state_dict().items()}
        model.load_state_dict(state)
        out = model(image())
        out = out.mean((2, 3)) if case.features else out
        stored[f"{case.library}/{case.theirs}"] = {
            "keys": {key: list(value.shape) for key, value in state.items()},
            "out": [round(x, 7) for x in out[0, :32].tolist()],
        }
        print(case.theirs, out.std().item())
    versions = {"torchvision": torchvision.__version__, "timm": timm.__version__}
    text = json.dumps({"versions": versions, "networks": stored}, separators=(",", ":"))
    path = Path(__file__).with_name("networks.json.gz")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
