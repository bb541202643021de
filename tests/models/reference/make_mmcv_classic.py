"""Store the weights that the networks of ``mmcv.cnn`` have under a seed, as hashes.

    python make_mmcv_classic.py

Needs mmcv 1.7.2. Writes ``mmcv_classic.json``: SHA-256 of all parameters, in the order of their
names, after construction and after ``init_weights()``, each under seed 0.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import mmcv.cnn
import torch
from torch import nn

NETWORKS = {
    "ResNet(18)": lambda: mmcv.cnn.ResNet(18),
    "ResNet(50, style='caffe')": lambda: mmcv.cnn.ResNet(50, style="caffe"),
    "VGG(11, with_bn=True)": lambda: mmcv.cnn.VGG(11, with_bn=True),
    "AlexNet()": lambda: mmcv.cnn.AlexNet(),
}


def digest(model: nn.Module) -> str:
    total = hashlib.sha256()
    for _, value in sorted(model.state_dict().items()):
        total.update(value.numpy().tobytes())
    return total.hexdigest()


def main() -> None:
    stored = {}
    for name, build in NETWORKS.items():
        torch.manual_seed(0)
        model = build()
        stored[name] = {"built": digest(model)}
        torch.manual_seed(0)
        model.init_weights()
        stored[name]["initialised"] = digest(model)
    text = json.dumps(stored, indent=2) + "\n"
    Path(__file__).with_name("mmcv_classic.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
