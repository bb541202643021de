"""Build the networks of a downstream package from its own configs, and write what came out.

    python fingerprint.py mmcls ours result.json [--all] [pattern...]
    python fingerprint.py mmpretrain original result.json

Each config of a network is built under one seed, initialised and run once. What is written of each
is its keys and shapes, a digest of the weights, and a digest and some numbers of the outputs, so
that two runs on the same PyTorch compare bit for bit, see `compare.py`. On our side the process
has no mmcv at all (and, for mmpretrain, an installed mmengine or none).

By default one config for each kind of backbone is taken, the first by name.
"""

import argparse
import contextlib
import hashlib
import importlib
import importlib.util
import json
import runpy
import sys
import traceback
import types
import warnings
from pathlib import Path

import torch

GENERATIONS = {"mmcls": "mmcv", "mmpretrain": "mmengine"}


def configs(package: str) -> dict[str, dict]:
    """Return the `model` of each config of a network that the package ships."""
    folder = Path(importlib.util.find_spec(package).origin).parent / ".mim/configs/_base_/models"
    found = {}
    for path in sorted(folder.rglob("*.py")):
        with contextlib.suppress(Exception):  # those that only change others are no networks
            model = runpy.run_path(str(path)).get("model")
            if isinstance(model, dict) and "type" in model.get("backbone", {}):
                found[str(path.relative_to(folder))] = model
    return found


def backbones(package: str) -> types.ModuleType:
    """Import the networks of a package, without the training that stands beside them."""
    # the package itself, or its `models`, also imports classifiers, hooks and datasets
    folder = Path(importlib.util.find_spec(package).origin).parent
    if package == "mmcls":
        importlib.import_module(package)  # checks the version of mmcv
    for name, path in ((package, folder), (f"{package}.models", folder / "models")):
        shell = sys.modules.get(name) or types.ModuleType(name)
        shell.__path__ = [str(path)]
        sys.modules[name] = shell
    for part in ("builder", "backbones", "necks"):
        importlib.import_module(f"{package}.models.{part}")
    return sys.modules[f"{package}.models.builder"]


def flatten(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value
    return [tensor for item in items for tensor in flatten(item)] if items else []


def digest(tensors: list[torch.Tensor]) -> str:
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(tensor.detach().contiguous().numpy().tobytes())
    return found.hexdigest()[:16]


def fingerprint(builder: types.ModuleType, model: dict) -> dict:
    torch.manual_seed(0)
    backbone = builder.build_backbone(dict(model["backbone"]))
    if hasattr(backbone, "init_weights"):
        backbone.init_weights()
    state = backbone.state_dict()
    keys = [f"{name} {tuple(tensor.shape)}" for name, tensor in state.items()]
    size = model["backbone"].get("img_size", 224)
    size = size if isinstance(size, int) else size[0]
    if model["backbone"]["type"] == "LeNet5":
        size = 32
    channels = 1 if size == 32 and model["backbone"]["type"] == "LeNet5" else 3
    torch.manual_seed(1)
    x = torch.randn(1, channels, size, size)
    backbone.eval()
    with torch.no_grad():
        outputs = flatten(backbone(x))
        if model.get("neck"):
            necks = model["neck"] if isinstance(model["neck"], list) else [model["neck"]]
            for neck in necks:
                with contextlib.suppress(Exception):
                    outputs += flatten(builder.build_neck(dict(neck)).eval()(backbone(x)))
    return {
        "keys": hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16],
        "tensors": len(keys),
        "weights": digest(list(state.values())),
        "outputs": digest(outputs),
        "summary": [round(float(t.double().std(unbiased=False)), 4) for t in outputs],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", choices=GENERATIONS)
    parser.add_argument("side", choices=["ours", "original"])
    parser.add_argument("result", type=Path)
    parser.add_argument("pattern", nargs="*", help="only configs whose names have one of these")
    parser.add_argument("--all", action="store_true", help="every config, not one of each kind")
    arguments = parser.parse_args()
    arguments.result.parent.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    if arguments.side == "ours":
        from brickwork.compat import install

        install(GENERATIONS[arguments.package])
    networks = configs(arguments.package)
    builder = backbones(arguments.package)
    results: dict[str, dict] = {}
    kinds = set()
    for name, model in networks.items():
        kind = model["backbone"]["type"]
        if arguments.pattern and not any(pattern in name for pattern in arguments.pattern):
            continue
        if kind in kinds and not arguments.all:
            continue
        kinds.add(kind)
        try:
            results[name] = {"backbone": kind, **fingerprint(builder, model)}
        except Exception as error:
            traceback.print_exc()
            results[name] = {"backbone": kind, "error": f"{type(error).__name__}: {error}"}
        print(name, results[name].get("error", "ok"), flush=True)
        record = {"package": arguments.package, "torch": torch.__version__, "networks": results}
        arguments.result.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
