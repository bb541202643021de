"""Store sampled weights of mmcv's classic models under a seed.

    python make_mmcv_classic.py

Needs mmcv 1.7.2. Writes ``mmcv_classic.json.gz``: by expression the samples of ``cases.samples``
after construction and after ``init_weights()``, each under seed 0.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import mmcv.cnn
import torch
from cases import samples

MODELS = {
    "ResNet(18)": lambda: mmcv.cnn.ResNet(18),
    "ResNet(50, style='caffe')": lambda: mmcv.cnn.ResNet(50, style="caffe"),
    "VGG(11, with_bn=True)": lambda: mmcv.cnn.VGG(11, with_bn=True),
    "AlexNet()": lambda: mmcv.cnn.AlexNet(),
}


def main() -> None:
    stored = {}
    for expression, build in MODELS.items():
        torch.manual_seed(0)
        model = build()
        stored[expression] = {"built": samples(model)}
        torch.manual_seed(0)
        model.init_weights()
        stored[expression]["initialized"] = samples(model)
    text = json.dumps(stored, separators=(",", ":"))
    path = Path(__file__).with_name("mmcv_classic.json.gz")
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
