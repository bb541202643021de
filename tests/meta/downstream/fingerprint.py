"""Build the models of a downstream package from its own configs and store their fingerprints.

    python fingerprint.py mmcls ours result.json [--all] [pattern...]
    python fingerprint.py mmpretrain original result.json

The backbone of each config and its necks are built under one seed, initialized and run. A
fingerprint has keys and shapes, a digest of the weights, and a digest and statistics of the
outputs, so that two runs on the same PyTorch can be compared bit for bit (`compare.py`). Errors are
stored, and the reason why a config is skipped. With `ours`, no mmcv is installed.

By default the first config by name of each kind of backbone is used.
"""

import argparse
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


def configs(folder: Path) -> tuple[dict[str, dict], dict[str, str]]:
    """Return the `model` of each config in a package, and why the others have none."""
    folder /= ".mim/configs/_base_/models"
    found, left_out = {}, {}
    for path in sorted(folder.rglob("*.py")):
        name = str(path.relative_to(folder))
        try:
            model = runpy.run_path(str(path)).get("model")
        except Exception as error:
            left_out[name] = f"cannot be read alone: {type(error).__name__}: {error}"
            continue
        if isinstance(model, dict) and "type" in model.get("backbone", {}):
            found[name] = model
        else:
            left_out[name] = "has no backbone of its own"
    return found, left_out


def backbones(package: str, folder: Path) -> types.ModuleType:
    """Import the networks of a package, without the training that stands beside them."""
    # the package itself, or its `models`, also imports classifiers, hooks and datasets
    if package == "mmcls":
        importlib.import_module(package)  # checks the version of mmcv
    for name, path in ((package, folder), (f"{package}.models", folder / "models")):
        shell = sys.modules.get(name) or types.ModuleType(name)
        shell.__path__ = [str(path)]
        sys.modules[name] = shell
    shell.build_classifier = None  # one config imports it, for when it is run as a program
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


def measure(module: torch.nn.Module, *inputs: object) -> tuple[dict, object]:
    """Initialize and run a module; return its fingerprint and output."""
    if hasattr(module, "init_weights"):
        module.init_weights()
    state = module.state_dict()
    keys = [f"{name} {tuple(tensor.shape)}" for name, tensor in state.items()]
    module.eval()  # whose result is None where `train` is overridden without one
    with torch.no_grad():
        output = module(*inputs)
    tensors = flatten(output)
    return {
        "keys": hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16],
        "tensors": len(keys),
        "weights": digest(list(state.values())),
        "outputs": digest(tensors),
        "summary": [round(float(t.double().std(unbiased=False)), 4) for t in tensors],
    }, output


def image(config: dict) -> torch.Tensor:
    """Return an input of the size that a backbone takes."""
    size = config.get("img_size", 224)
    size = size if isinstance(size, int) else size[0]
    channels = 3
    if config["type"] == "LeNet5":
        channels, size = 1, 32
    return torch.randn(1, channels, size, size, generator=torch.Generator().manual_seed(1))


def fingerprint(builder: types.ModuleType, model: dict) -> dict:
    config = model["backbone"]
    torch.manual_seed(0)
    row, features = measure(builder.build_backbone(dict(config)), image(config))
    necks = model.get("neck") or []
    for neck in necks if isinstance(necks, list) else [necks]:
        torch.manual_seed(0)
        try:
            found, features = measure(builder.build_neck(dict(neck)), features)
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"}
        row.setdefault("necks", []).append({"neck": neck["type"], **found})
    return {"backbone": config["type"], **row}


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
    folder = Path(importlib.util.find_spec(arguments.package).origin).parent
    builder = backbones(arguments.package, folder)
    networks, left_out = configs(folder)
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
            results[name] = fingerprint(builder, model)
        except Exception as error:
            traceback.print_exc()
            results[name] = {"backbone": kind, "error": f"{type(error).__name__}: {error}"}
        failed = [n for n in (results[name], *results[name].get("necks", [])) if "error" in n]
        print(name, "; ".join(n["error"] for n in failed) or "ok", flush=True)
        record = {
            "package": arguments.package,
            "torch": torch.__version__,
            "left out": left_out,
            "networks": results,
        }
        arguments.result.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
