"""Histograms of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure
from torch import Tensor, nn

from ._sharded import local_tensor

_COLORS = {"rule": "C0", "code": "C1", "loaded": "C2", "default": "C7"}
_COLUMNS = 4


def plot_histograms(model: nn.Module, kinds: Mapping[str, str], title: str, path: Path) -> Path:
    """Draw a histogram of each parameter that has values, colored by where they came from.

    Args:
        model: The model.
        kinds: Kind of the source of each parameter by name, see `Source`.
        title: Title above the histograms.
        path: File to write.

    Returns:
        `path`.
    """
    shown = [(name, p) for name, p in model.named_parameters() if not p.is_meta]
    rows = max(1, math.ceil(len(shown) / _COLUMNS))
    figure = Figure(figsize=(3.2 * _COLUMNS, 1.9 * rows + 0.8), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axis, (name, tensor) in zip(axes, shown, strict=False):
        axis.hist(_values(tensor), bins=60, color=_COLORS.get(kinds[name]))
        axis.set_title(f"{name} ({kinds[name]})", fontsize=7)
        axis.tick_params(labelsize=6)
        axis.set_yticks([])
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    figure.suptitle(title, fontsize=9)
    figure.savefig(path)
    return path


def _values(tensor: Tensor) -> list[float]:
    values: list[float] = local_tensor(tensor).detach().flatten().float().cpu().tolist()
    return values
