"""Write the catalog that the package ships from the raw facts beside this script.

Usage: python make_catalog.py [folder]   (by default the package's own data folder)
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RAW = HERE / "raw"
DATA = HERE.parent / "src" / "brickwork_zoo" / "data"

Row = dict[str, Any]
Source = dict[str, Any]  # {"models": {name: row}, "aliases": {other name: name}}

MEBIBYTE = 2**20
HASH_SUFFIX = re.compile(r"-([0-9a-f]{8,64})\.")
METRICS = {"Top 1 Accuracy": "acc1", "Top 5 Accuracy": "acc5"}
FAMILIES = [
    "alexnet",
    "bninception",
    "convnext",
    "darknet",
    "densenet",
    "efficientnet",
    "googlenet",
    "hrnet",
    "inception",
    "maxvit",
    "mnasnet",
    "mobilenet",
    "regnet",
    "repvgg",
    "res2net",
    "resnest",
    "resnet",
    "resnext",
    "shufflenet",
    "squeezenet",
    "swin",
    "t2t_vit",
    "vgg",
    "vit",
    "wide_resnet",
]


def raw(name: str) -> Any:
    """Return the contents of a file of raw facts."""
    return json.loads((RAW / f"{name}.json").read_text(encoding="utf-8"))


MIRRORS: dict[str, Row] = raw("mirrors")["files"]  # by file name
HASHES: dict[str, Row] = raw("hashes")["files"]  # by file name


def row(url: str, **facts: Any) -> Row:
    """Return a row: the file's URLs, its hash and where that comes from, and the given facts."""
    name = url.rsplit("/", 1)[1]
    sha256, sha256_source = known_hash(name)
    mirrors = MIRRORS[name]["mirrors"] if sha256 and name in MIRRORS else []
    fields = {"urls": [url, *mirrors], "sha256": sha256, "sha256_source": sha256_source, **facts}
    return {key: value for key, value in fields.items() if value not in (None, "", {})}


def known_hash(filename: str) -> tuple[str | None, str | None]:
    """Return the hash of a file, or its first digits, and where it comes from.

    All sources name their files after their hashes, so that a suffix of decimal digits counts too.
    """
    if filename in HASHES:
        return HASHES[filename]["sha256"], HASHES[filename]["source"]
    suffix = HASH_SUFFIX.search(filename)
    return (suffix[1], "file name") if suffix else (None, None)


def known_metrics(metrics: dict[str, float | None]) -> dict[str, float]:
    """Return the known metrics; unknown ones are null in one source and NaN in another."""
    return {key: n for key, n in metrics.items() if n is not None and not math.isnan(n)}


def family(architecture: str) -> str:
    """Return the family of an architecture: the longest known name that it starts with."""
    matches = [name for name in FAMILIES if architecture.startswith(name)]
    return max(matches, key=len, default="")


def torchvision() -> Source:
    """Return rows by `model.weights`; the enum's and the older spellings are aliases."""
    models: dict[str, Row] = {}
    aliases: dict[str, str] = {}
    by_url: dict[str, str] = {}
    for name, facts in raw("torchvision")["weights"].items():
        architecture = name.split(".")[0]
        models[name] = row(
            facts["url"],
            size=round(facts["file_size_mb"] * MEBIBYTE),
            params=facts["num_params"],
            flops=round(facts["gflops"] * 1e9),
            metrics=known_metrics({key: facts[key] for key in ("acc1", "acc5")}),
            dataset="ImageNet-1k",
            architecture=architecture,
            family=family(architecture),
            about=facts["recipe"],
        )
        by_url[facts["url"]] = name
        aliases[facts["enum"]] = name
        if facts["default"]:
            aliases[f"{architecture}.default"] = name
            aliases[facts["enum"].split(".")[0] + ".DEFAULT"] = name
    for name, url in raw("torchvision_0.12").items():
        if url is None:
            continue  # an architecture that never had weights
        if url in by_url:
            aliases[name] = by_url[url]
        else:
            models[name] = row(url, architecture=name, family=family(name))
    return {"models": models, "aliases": aliases}


def open_mmlab() -> Source:
    """Return rows by the names after `open-mmlab://`; deprecated names are aliases."""
    models: dict[str, Row] = {}
    for name, url in raw("open_mmlab").items():
        architecture = name.rsplit("/", 1)[-1]
        models[name] = row(url, architecture=architecture, family=family(architecture))
    aliases: dict[str, str] = {}
    for old, new in raw("deprecated").items():
        # Two deprecated names refer to names that were never listed, but their weights were.
        known = new if new in models else new.removesuffix("_bgr")
        aliases |= {name: known for name in (old, new) if name != known}
    return {"models": models, "aliases": aliases}


def mmpretrain() -> Source:
    """Return rows by the names of the model index, without entries that have no weights."""
    models = [model for model in raw("mmpretrain")["models"] if model["url"]]
    return {"models": {model["name"]: mmpretrain_row(model) for model in models}}


def mmpretrain_row(model: Row) -> Row:
    """Return the row of an entry of the model index."""
    metrics: dict[str, Any] = dict(model["metrics"] or {})
    dataset = metrics.pop("dataset", None)
    return row(
        model["url"],
        params=model["params"],
        flops=model["flops"],
        metrics=known_metrics({METRICS.get(key, key): value for key, value in metrics.items()}),
        dataset=dataset,
        architecture=model["name"].split("_")[0],
        family=model["collection"],
        about=model["config"],
    )


def mmcls() -> Source:
    """Return rows by the names after `mmcls://`, with the facts in the model index."""
    index = {model["url"]: model for model in raw("mmpretrain")["models"]}
    models: dict[str, Row] = {}
    for name, url in raw("mmcls").items():
        known = mmpretrain_row(index[url]) if url in index else row(url, family=family(name))
        models[name] = known | {"architecture": name}
    return {"models": models}


SOURCES: dict[str, Callable[[], Source]] = {
    "mmcls": mmcls,
    "mmpretrain": mmpretrain,
    "open_mmlab": open_mmlab,
    "torchvision": torchvision,
}


def main(folder: Path = DATA) -> None:
    """Write a file for each source."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in SOURCES.items():
        text = json.dumps(make(), indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False)
        (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
