"""Store the parameter names of mmedit's encoders.

    hatch run downstream:python tests/models/reference/make_mmedit.py FOLDER

``FOLDER`` holds the unpacked wheel of mmedit 0.16.1; `brickwork.compat` is in the place of mmcv.
Writes ``mmedit.json``: by URI the names and shapes of the parameters of the encoders that load the
checkpoints, built from mmedit's own files.
"""

from __future__ import annotations

import importlib
import json
import sys
import types
from pathlib import Path

import torch
from brickwork.compat import install


def encoders(folder: Path) -> dict[str, torch.nn.Module]:
    models = folder / "mmedit" / "models"
    for name, path in (
        ("mmedit", folder / "mmedit"),
        ("mmedit.models", models),
        ("mmedit.models.common", models / "common"),
        ("mmedit.utils", folder / "mmedit" / "utils"),
        ("mmedit.encoders", models / "backbones" / "encoder_decoders" / "encoders"),
    ):
        shell = types.ModuleType(name)
        shell.__path__ = [str(path)]
        sys.modules[name] = shell
    sys.modules["mmedit.utils"].get_root_logger = None  # used only when a file is loaded
    common = sys.modules["mmedit.models.common"]
    separable = importlib.import_module("mmedit.models.common.separable_conv_module")
    common.DepthwiseSeparableConvModule = separable.DepthwiseSeparableConvModule
    common.ASPP = importlib.import_module("mmedit.models.common.aspp").ASPP
    vgg = importlib.import_module("mmedit.encoders.vgg")
    indexnet = importlib.import_module("mmedit.encoders.indexnet_encoder")
    return {
        "open-mmlab://mmedit/vgg16": vgg.VGG16(in_channels=4),
        "open-mmlab://mmedit/mobilenet_v2": indexnet.IndexNetEncoder(in_channels=4),
    }


def main() -> None:
    install("mmcv")
    stored = {
        uri: {key: list(value.shape) for key, value in encoder.state_dict().items()}
        for uri, encoder in encoders(Path(sys.argv[1])).items()
    }
    path = Path(__file__).with_name("mmedit.json")
    path.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
