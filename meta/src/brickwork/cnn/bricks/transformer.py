"""Transformer bricks."""

from brickwork_base import (
    BaseModule,
    ModuleList,
    Sequential,
)
from brickwork_layers import (
    build_activation_layer,
    build_conv_layer,
    build_dropout,
    build_norm_layer,
)
from brickwork_modules import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    FFN,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
    AdaptivePadding,
    BaseTransformerLayer,
    MultiheadAttention,
    PatchEmbed,
    PatchMerging,
    TransformerLayerSequence,
    build_attention,
    build_feedforward_network,
    build_positional_encoding,
    build_transformer_layer,
    build_transformer_layer_sequence,
)

__all__ = [
    "ATTENTION",
    "FEEDFORWARD_NETWORK",
    "FFN",
    "POSITIONAL_ENCODING",
    "TRANSFORMER_LAYER",
    "TRANSFORMER_LAYER_SEQUENCE",
    "AdaptivePadding",
    "BaseModule",
    "BaseTransformerLayer",
    "ModuleList",
    "MultiheadAttention",
    "PatchEmbed",
    "PatchMerging",
    "Sequential",
    "TransformerLayerSequence",
    "build_activation_layer",
    "build_attention",
    "build_conv_layer",
    "build_dropout",
    "build_feedforward_network",
    "build_norm_layer",
    "build_positional_encoding",
    "build_transformer_layer",
    "build_transformer_layer_sequence",
]
