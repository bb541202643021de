"""Plugin layers from configs."""

from brickwork_modules import (
    PLUGIN_LAYERS,
    build_plugin_layer,
    infer_abbr,
)

__all__ = [
    "PLUGIN_LAYERS",
    "build_plugin_layer",
    "infer_abbr",
]
