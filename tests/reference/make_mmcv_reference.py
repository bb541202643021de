"""Program that stores the results of mmcv 1.7.2 for the cases of `cases.py`.

It needs an environment of its own (mmcv 1.7.2 builds only with an old setuptools):

    python3.11 -m venv reference
    reference/bin/pip install torch==2.14.1 numpy 'setuptools<80' wheel
    reference/bin/pip install --no-build-isolation mmcv==1.7.2
    reference/bin/python -m tests.reference.make_mmcv_reference

It writes beside itself `mmcv_1_7_2.npz` (all values in one array), `mmcv_1_7_2.json` (their
description, and the versions used) and `mmcv_1_7_2_api.json` (signatures and registries).
"""

import contextlib
import inspect
import json
import logging
import platform
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import mmcv
import numpy as np
import torch
from mmcv import cnn, runner, utils
from mmcv.cnn import bricks
from mmcv.cnn.bricks import drop, norm, registry, transformer, upsample

from tests.reference.cases import GROUPS
from tests.reference.running import Result, run

PLACES = (cnn, bricks, transformer, drop, runner)

# Modules and names whose signatures are stored.
PUBLIC: dict[ModuleType, list[str]] = {
    cnn: cnn.__all__,
    bricks: bricks.__all__,
    transformer: [
        *("AdaptivePadding", "PatchEmbed", "PatchMerging", "MultiheadAttention", "FFN"),
        *("BaseTransformerLayer", "TransformerLayerSequence", "build_attention"),
        *("build_feedforward_network", "build_positional_encoding", "build_transformer_layer"),
        "build_transformer_layer_sequence",
    ],
    drop: ["build_dropout", "drop_path"],
    norm: ["infer_abbr"],
    upsample: ["PixelShufflePack"],
    registry: [name for name in vars(registry) if name.isupper()],
    runner: [
        *("BaseModule", "ModuleDict", "ModuleList", "Sequential"),
        *("load_checkpoint", "load_state_dict", "save_checkpoint", "CheckpointLoader"),
    ],
    utils: ["Registry", "build_from_cfg"],
}


def lookup(name: str) -> Any:
    """Return the object of mmcv with a name."""
    return next(getattr(place, name) for place in PLACES if hasattr(place, name))


def main() -> None:
    """Run every case and write the two files."""
    logging.disable()
    warnings.simplefilter("ignore")
    values: list[np.ndarray] = []
    index: dict[str, Any] = {
        "made_with": {
            "mmcv": mmcv.__version__,
            "torch": torch.__version__,
            "cpu_capability": torch.backends.cpu.get_cpu_capability(),
            "python": platform.python_version(),
        }
    }
    for group, cases in GROUPS.items():
        index[group] = {name: _describe(run(case, lookup), values) for name, case in cases.items()}

    target = Path(__file__).with_name("mmcv_1_7_2")
    np.savez_compressed(target.with_suffix(".npz"), values=np.concatenate(values))
    target.with_suffix(".json").write_text(_one_case_a_line(index))
    Path(__file__).with_name("mmcv_1_7_2_api.json").write_text(_one_case_a_line(_api()))
    size = sum(target.with_suffix(end).stat().st_size for end in (".npz", ".json"))
    with contextlib.suppress(BrokenPipeError):
        print(f"{sum(map(len, GROUPS.values()))} cases, {size / 1e3:.0f} kB")


def _describe(result: Result, values: list[np.ndarray]) -> dict[str, Any]:
    """Append the values of a case to the array and return their description."""
    tensors = [*result.constructed.values(), *(result.finished or {}).values(), *result.outputs]
    values.extend(tensor.numpy().astype(np.float32).ravel() for tensor in tensors)
    row = {
        "label": result.label,
        "frozen": result.frozen,
        "state": {name: list(value.shape) for name, value in result.constructed.items()},
        "finished": result.finished is not None,
        "outputs": [list(value.shape) for value in result.outputs],
    }
    return {name: value for name, value in row.items() if value}


def _api() -> dict[str, Any]:
    """Return the parameters of public names as [name, kind, default], and registry contents."""
    public = {
        f"{place.__name__}.{name}": getattr(place, name)
        for place, names in PUBLIC.items()
        for name in names
    }
    return {
        "signatures": {
            name: [
                [
                    one.name,
                    one.kind.name,
                    *([] if one.default is one.empty else [repr(one.default)]),
                ]
                for one in inspect.signature(value).parameters.values()
            ]
            for name, value in public.items()
            if not isinstance(value, utils.Registry)
        },
        "registries": {
            name: {
                "name": value.name,
                "entries": {key: one.__name__ for key, one in value.module_dict.items()},
            }
            for name, value in public.items()
            if isinstance(value, utils.Registry)
        },
    }


def _one_case_a_line(index: dict[str, Any]) -> str:
    """Return JSON with one case per line, for readable diffs."""
    groups = []
    for group, rows in index.items():
        lines = (f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items())
        groups.append(f"{json.dumps(group)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{\n" + ",\n".join(groups) + "\n}\n"


if __name__ == "__main__":
    main()
