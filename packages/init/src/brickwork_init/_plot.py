"""Histograms of the weights, for people who would rather look."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure
from torch import Tensor, nn

from ._sharded import is_sharded

if TYPE_CHECKING:
    from ._report import InitReport

_COLOURS = {"rule": "C0", "code": "C1", "loaded": "C2", "default": "C7"}
_COLUMNS = 4


def plot_histograms(model: nn.Module, report: InitReport, path: Path) -> Path:
    """Draw a histogram of each parameter that has values, coloured by where they came from.

    Args:
        model: The model.
        report: Its report.
        path: Where to write the picture.

    Returns:
        `path`.
    """
    shown = [(name, one) for name, one in model.named_parameters() if not one.is_meta]
    rows = max(1, math.ceil(len(shown) / _COLUMNS))
    figure = Figure(figsize=(3.2 * _COLUMNS, 1.9 * rows + 0.8), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axis, (name, tensor) in zip(axes, shown, strict=False):
        kind = report[name].source.kind
        axis.hist(_values(tensor), bins=60, color=_COLOURS.get(kind))
        axis.set_title(f"{name} ({kind})", fontsize=7)
        axis.tick_params(labelsize=6)
        axis.set_yticks([])
    for axis in axes[len(shown) :]:
        axis.set_axis_off()
    figure.suptitle(report.summary, fontsize=9)
    figure.savefig(path)
    return path


def _values(tensor: Tensor) -> list[float]:
    local = tensor.to_local() if is_sharded(tensor) else tensor
    values: list[float] = local.detach().flatten().float().cpu().tolist()
    return values
