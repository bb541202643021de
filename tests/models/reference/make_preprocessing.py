"""Store what torchvision's presets and timm's transforms make of an image.

    python make_preprocessing.py

Needs torchvision and timm, and nothing of this project. Writes ``preprocessing.json.gz``: for each
case of ``PREPROCESSING_CASES`` a grid of pixels of the preprocessed image, from a PIL image and,
with torchvision, from a tensor.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import torch
from cases import PREPROCESSING_CASES, photograph, pixel_grid
from PIL import Image
from timm.data import create_transform
from torchvision.models import get_weight
from torchvision.transforms.functional import pil_to_tensor


def main() -> None:
    image = Image.fromarray(photograph())
    stored = {}
    for name, options in PREPROCESSING_CASES.items():
        if name.startswith("timm"):
            transform = create_transform(
                (3, options["size"], options["size"]),
                interpolation=options["interpolation"],
                mean=[value / 255 for value in options["mean"]],
                std=[value / 255 for value in options["std"]],
                crop_pct=options["crop"],
                crop_mode="squash" if options.get("square") else "center",
            )
            stored[name] = {"pil": pixel_grid(transform(image)[None])}
        else:
            transform = get_weight(name).transforms()
            stored[name] = {
                "pil": pixel_grid(transform(image)[None]),
                "tensor": pixel_grid(transform(pil_to_tensor(image))[None]),
            }
    path = Path(__file__).with_name("preprocessing.json.gz")
    path.write_bytes(gzip.compress(json.dumps(stored, separators=(",", ":")).encode(), mtime=0))
    print(torch.__version__, list(stored))


if __name__ == "__main__":
    main()
