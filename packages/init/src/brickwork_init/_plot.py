"""Histograms of the weights, for people who would rather look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor, nn

from ._sharded import is_sharded

_COLOURS = {"rule": "C0", "code": "C1", "loaded": "C2", "default": "C7"}
_COLUMNS = 4


def plot_histograms(model: nn.Module, kinds: Mapping[str, str], title: str, path: Path) -> Path:
    """Draw a histogram of each parameter that has values, coloured by where they came from.

    Args:
        model: The model.
        kinds: By the name of a parameter, who gave it its value, see `Source`.
        title: Stands above the histograms.
        path: Where to write the picture.

    Returns:
        `path`.
    """
    shown = [(name, one) for name, one in model.named_parameters() if not one.is_meta]
    rows = max(1, math.ceil(len(shown) / _COLUMNS))
    figure = Figure(figsize=(3.2 * _COLUMNS, 1.9 * rows + 0.8), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axis, (name, tensor) in zip(axes, shown, strict=False):
        axis.hist(_values(tensor), bins=60, color=_COLOURS.get(kinds[name]))
        axis.set_title(f"{name} ({kinds[name]})", fontsize=7)
        axis.tick_params(labelsize=6)
        axis.set_yticks([])
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    figure.suptitle(title, fontsize=9)
    figure.savefig(path)
    return path


def _values(tensor: Tensor) -> list[float]:
    local = tensor.to_local() if is_sharded(tensor) else tensor
    values: list[float] = local.detach().flatten().float().cpu().tolist()
    return values
