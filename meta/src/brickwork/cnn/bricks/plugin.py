"""Plugin layers from configs."""

from brickwork_modules import PLUGIN_LAYERS as PLUGIN_LAYERS
from brickwork_modules import build_plugin_layer as build_plugin_layer
from brickwork_modules import infer_abbr as infer_abbr
