"""Build the parts of whole downstream packages from their own configs, and compare with mmcv's.

    python components.py mmseg ours result.json --against mmseg.json [--write downstream.json]
    python components.py mmseg original mmseg.json

The package is imported unmodified. Of every kind of backbone, neck and head that its configs name,
the first by name of the config is built under one seed, initialized and run on the output of the
parts before it. Of each part the record has digests of its keys, weights, outputs and gradients,
and some numbers that bear rounding. What cannot be built or run is recorded with its error.
"""

import argparse
import importlib
import importlib.util
import json
import logging
import re
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from fingerprint import digest, flatten

SIZES = {"mmseg": (128, 128), "mmdet": (128, 128), "mmpose": (128, 96), "mmaction": (64, 64)}
KINDS = ("backbone", "neck", "head")


def configs(package: str) -> Iterator[tuple[str, Any]]:
    """Yield the name and the model of each config that a package ships."""
    folder = Path(importlib.util.find_spec(package).origin).parent / ".mim" / "configs"
    mmcv = importlib.import_module("mmcv")
    seen: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        types = types_in(path)
        if types <= seen:  # it names nothing new, and reading a config takes long
            continue
        seen |= types
        try:
            model = mmcv.Config.fromfile(str(path)).get("model")
        except Exception as error:
            print(f"{path.relative_to(folder)} cannot be read: {error}")
            continue
        if isinstance(model, dict) and isinstance(model.get("backbone"), dict):
            yield str(path.relative_to(folder)), model


def types_in(path: Path) -> set[str]:
    """Return the types that a config file and those that it is based on name."""
    text = path.read_text()
    types = set(re.findall(r"type='(.+?)'", text))
    bases = re.search(r"_base_ = (\[.*?\]|'.*?')", text, re.DOTALL)
    for base in re.findall(r"'(.+?)'", bases[1]) if bases else []:
        if (path.parent / base).is_file():  # not one part of a name that goes on in the next line
            types |= types_in(path.parent / base)
    return types


def heads(model: Any) -> Iterator[dict[str, Any]]:
    """Yield the configs of the heads of a model, at any depth."""
    for name, value in model.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            if not isinstance(item, dict) or name in ("backbone", "neck"):
                continue
            if name.endswith("head") and name != "roi_head" and "type" in item:
                yield item
            else:
                yield from heads(item)


def image(package: str, model: Any) -> torch.Tensor:
    """Return an input of a model's backbone."""
    backbone = model["backbone"]
    height, width = SIZES[package]
    if isinstance(backbone.get("img_size"), int) and "patch_size" in backbone:
        height = width = backbone["img_size"]
    channels = backbone.get("in_channels", 3)
    shape = (1, channels if isinstance(channels, int) else 3, height, width)
    if package == "mmaction" and "3D" in model["type"]:
        shape = (*shape[:2], 8, *shape[2:])
    if package == "mmaction" and "2D" in model["type"]:
        shape = (8, *shape[1:])
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


def without_downloads(config: Any) -> dict[str, Any]:
    """Return a config whose part is initialized from random numbers."""
    options = {**config, "pretrained": None} if config.get("pretrained") else dict(config)
    if isinstance(init_cfg := options.get("init_cfg"), dict) and init_cfg["type"] == "Pretrained":
        del options["init_cfg"]
    return options


def measure(config: Any, build: Any, inputs: Any) -> tuple[dict[str, Any], Any]:
    """Build, initialize and run a part; return its record and its output."""
    torch.manual_seed(0)
    part = build(without_downloads(config))
    if hasattr(part, "init_weights"):
        part.init_weights()
    state = part.state_dict()
    keys = [f"{key} {tuple(value.shape)}" for key, value in state.items()]
    record = {"keys": digest_text(keys), "tensors": len(keys), "weights": digest(state.values())}
    if inputs is None:
        return record, None
    part.eval()
    for parameter in part.parameters():
        parameter.grad = None
    try:
        output = part(inputs)
        tensors = [tensor for tensor in flatten(output) if tensor.is_floating_point()]
        sum(tensor.square().mean() for tensor in tensors).backward()
    except Exception as error:
        return {**record, "run_error": f"{type(error).__name__}: {error}"}, None
    gradients = [p.grad for _, p in part.named_parameters() if p.grad is not None]
    record["outputs"], record["gradients"] = digest(tensors), digest(gradients)
    record["summary"] = [round(float(t.double().std(unbiased=False)), 4) for t in tensors]
    record["norm"] = float(f"{sum(float(g.double().square().sum()) for g in gradients):.3g}")
    return record, detach(output)


def detach(value: Any) -> Any:
    """Return the tensors of nested lists, tuples and dicts without their graph."""
    if isinstance(value, torch.Tensor):
        return value.detach()
    if isinstance(value, dict):
        return {key: detach(item) for key, item in value.items()}
    return type(value)(map(detach, value)) if isinstance(value, list | tuple) else value


def digest_text(lines: list[str]) -> str:
    return digest([torch.tensor(list("\n".join(lines).encode()), dtype=torch.uint8)])


def parts(package: str, name: str, model: Any, seen: set[str]) -> Iterator[tuple[str, dict]]:
    """Yield the key and the record of each part of a model whose kind is not `seen`."""
    builder = importlib.import_module(f"{package}.models.builder")
    necks = model.get("neck") or []
    necks = list(necks) if isinstance(necks, list | tuple) else [necks]
    chain = [("backbone", model["backbone"], builder.BACKBONES.build)]
    chain += [("neck", neck, builder.NECKS.build) for neck in necks]
    chain += [("head", head, builder.HEADS.build) for head in heads(model)]
    chain = [link for link in chain if "type" in link[1]]
    if all(f"{kind} {config['type']}" in seen for kind, config, _ in chain):
        return
    inputs: Any = image(package, model)
    for kind, config, build in chain:
        key = f"{kind} {config['type']}"
        if kind == "head" and key in seen:
            continue
        try:
            record, output = measure(config, build, inputs)
        except Exception as error:
            traceback.print_exc(limit=-4)
            record, output = {"error": f"{type(error).__name__}: {error}"}, None
        if kind != "head":
            inputs = output
        if key not in seen:
            seen.add(key)
            yield key, {"config": name, **record}


def compare(ours: dict[str, dict], original: dict[str, dict]) -> tuple[dict, list[str]]:
    """Return the counts of each kind, and a line for each part that differs."""
    counts = {f"{kind}s": Counter(there=0, agree=0, same_bits=0) for kind in KINDS}
    lines = []
    for key, expected in original.items():
        if "error" in expected:
            lines.append(f"{key}: not compared, mmcv's cannot be built: {expected['error'][:100]}")
            continue
        count = counts[f"{key.split()[0]}s"]
        count["there"] += 1
        record = ours.get(key, {"error": "was not built"})
        wrong = differences(record, expected)
        count["agree"] += not wrong
        same_bits = all(record.get(f) == expected.get(f) for f in ("outputs", "gradients"))
        count["same_bits"] += not wrong and same_bits
        if wrong or not same_bits:
            lines.append(f"{key} ({expected['config']}): {', '.join(wrong) or 'last bits'}")
    return counts, lines


def differences(record: dict, expected: dict) -> list[str]:
    """Return what differs between two records by more than rounding."""
    if "error" in record:
        return [record["error"]]
    wrong = [field for field in ("keys", "weights") if record[field] != expected[field]]
    if "summary" not in expected:  # mmcv's cannot run on these inputs either
        return wrong
    if "summary" not in record:
        return [*wrong, record.get("run_error", "was not run")]
    close = len(record["summary"]) == len(expected["summary"]) and all(
        abs(a - b) <= 1e-3 * max(1.0, abs(b))
        for a, b in zip(record["summary"], expected["summary"], strict=True)
    )
    close_norm = abs(record["norm"] - expected["norm"]) <= 0.02 * abs(expected["norm"])
    return [*wrong, *([] if close else ["outputs"]), *([] if close_norm else ["gradients"])]


def define_operators_of_torchvision() -> None:
    """Let torchvision be imported where it is built for another build of torch.

    It describes two operators when it is imported, which it cannot load then.
    """
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor a, Tensor b, float c) -> Tensor")


def prepare(package: str, side: str) -> None:
    """Import the package, on brickwork or on the mmcv that is installed."""
    define_operators_of_torchvision()
    if side == "ours":
        from brickwork.compat import install

        install("mmcv")
    importlib.import_module(f"{package}.apis")
    importlib.import_module(f"{package}.models")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", choices=SIZES)
    parser.add_argument("side", choices=["ours", "original"])
    parser.add_argument("result", type=Path)
    parser.add_argument("--against", type=Path, help="the record of the original")
    parser.add_argument("--write", type=Path, help="where to put the counts, by package")
    arguments = parser.parse_args()
    arguments.result.parent.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    logging.disable(logging.INFO)  # the initial values of every parameter
    torch.set_num_threads(1)
    prepare(arguments.package, arguments.side)
    records: dict[str, dict] = {}
    seen: set[str] = set()
    for name, model in configs(arguments.package):
        for key, record in parts(arguments.package, name, model, seen):
            records[key] = record
            print(key, record.get("error") or record.get("run_error") or "ok", flush=True)
        result = {"package": arguments.package, "torch": torch.__version__, "parts": records}
        arguments.result.write_text(json.dumps(result, indent=1) + "\n")
    if arguments.against is None:
        return
    counts, lines = compare(records, json.loads(arguments.against.read_text())["parts"])
    print(*lines, json.dumps(counts, indent=1), sep="\n")
    if arguments.write:
        written = json.loads(arguments.write.read_text()) if arguments.write.exists() else {}
        written[arguments.package] = {"torch": torch.__version__, **counts}
        arguments.write.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
    sys.exit(any(count["agree"] != count["there"] for count in counts.values()))


if __name__ == "__main__":
    main()
