"""Results of mmcv 1.7.2, as `make_mmcv_reference.py` stored them."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import torch

from tests.reference.running import Result

FOLDER = Path(__file__).parent


@cache
def stored_results() -> dict[tuple[str, str], Result]:
    """Return what mmcv gave, by group and case of `cases.GROUPS`."""
    index = json.loads((FOLDER / "mmcv_1_7_2.json").read_text())
    del index["made_with"]
    with np.load(FOLDER / "mmcv_1_7_2.npz") as file:
        values = torch.from_numpy(file["values"])
    results = {}
    for group, rows in index.items():
        for case, row in rows.items():
            state = row.get("state", {})
            is_finished = "finished" in row
            shapes = [*state.values()] * (2 if is_finished else 1) + row.get("outputs", [])
            sizes = [int(np.prod(shape)) for shape in shapes]
            own_values, values = values[: sum(sizes)], values[sum(sizes) :]
            parts = zip(own_values.split(sizes), shapes, strict=True)
            tensors = iter([part.view(shape) for part, shape in parts])
            results[group, case] = Result(
                label=row.get("label", ""),
                frozen=row.get("frozen", []),
                constructed={name: next(tensors) for name in state},
                finished={name: next(tensors) for name in state} if is_finished else None,
                outputs=list(tensors),
            )
    return results
