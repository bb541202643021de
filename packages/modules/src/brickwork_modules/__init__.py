"""Bundles of layers from config dicts: ConvModule, NonLocal, ContextBlock, transformer bricks."""

from ._conv_module import ConvModule as ConvModule
from ._depthwise_separable_conv_module import (
    DepthwiseSeparableConvModule as DepthwiseSeparableConvModule,
)
from ._efficient_eval import efficient_conv_bn_eval_forward as efficient_conv_bn_eval_forward
from ._registries import ATTENTION as ATTENTION
from ._registries import FEEDFORWARD_NETWORK as FEEDFORWARD_NETWORK
from ._registries import PLUGIN_LAYERS as PLUGIN_LAYERS
from ._registries import POSITIONAL_ENCODING as POSITIONAL_ENCODING
from ._registries import TRANSFORMER_LAYER as TRANSFORMER_LAYER
from ._registries import TRANSFORMER_LAYER_SEQUENCE as TRANSFORMER_LAYER_SEQUENCE

__version__ = "0.1.0"

__all__ = [
    "ATTENTION",
    "FEEDFORWARD_NETWORK",
    "PLUGIN_LAYERS",
    "POSITIONAL_ENCODING",
    "TRANSFORMER_LAYER",
    "TRANSFORMER_LAYER_SEQUENCE",
    "ConvModule",
    "DepthwiseSeparableConvModule",
    "efficient_conv_bn_eval_forward",
]
