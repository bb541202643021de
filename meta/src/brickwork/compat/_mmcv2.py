"""mmcv 2.x: where its names come from. The modules of `mmcv2/mmcv` ask here."""

import sys
from pathlib import Path

from ._generation import Generation
from ._placeholder_modules import PlaceholderFinder

_REAL = "An mmcv 2.x beside brickwork provides it (pip install mmcv-lite==2.1.0)"
_OPERATORS = "A compiled mmcv 2.x beside brickwork provides all operators; brickwork-ops, many"

GENERATION = Generation(
    Path(__file__).with_name("mmcv2"),
    "2.1.0",
    elsewhere={
        "mmcv.ops.": ("brickwork_ops",),
        "mmcv.ops.deprecated_wrappers.": ("brickwork.cnn",),
        "mmcv.ops.merge_cells.": ("brickwork.ops.merge_cells",),
        "mmcv.image.io.imread": ("brickwork.image",),
        "mmcv.image.io.imwrite": ("brickwork.image",),
        "mmcv.visualization.image.imshow": ("brickwork.image",),
    },
    shadowed=(
        "mmcv.cnn.resnet",
        "mmcv.cnn.rfsearch.operator",
        "mmcv.cnn.utils.flops_counter",
        "mmcv.cnn.vgg",
    ),
    remedies={"mmcv.": _REAL, "mmcv.ops.": _OPERATORS},
)
path = GENERATION.path
attributes = GENERATION.attributes
keep_functions = GENERATION.keep_functions


def version() -> str:
    """Return the version that `mmcv.__version__` reports."""
    return GENERATION.version


def version_info() -> tuple[int, ...]:
    """Return the version that `mmcv.version_info` reports."""
    return GENERATION.version_info


def register_layers() -> None:
    """Register the layers in mmengine's `MODELS`, and let builders find what `MODELS` has."""
    from ._mmengine_registries import connect  # needs mmengine and torch

    connect()


def register_operators() -> None:
    """Register the layers of brickwork-ops in mmengine's `MODELS`."""
    from ._mmengine_registries import register_operators as register

    register()


sys.meta_path.append(PlaceholderFinder(GENERATION))  # last: for what nobody else finds
