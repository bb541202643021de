"""`mmcv.cnn.bricks.transformer`, provided by brickwork."""

from brickwork.cnn.bricks.transformer import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    FFN,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
    AdaptivePadding,
    BaseModule,
    BaseTransformerLayer,
    ModuleList,
    MultiheadAttention,
    PatchEmbed,
    PatchMerging,
    Sequential,
    TransformerLayerSequence,
    build_activation_layer,
    build_attention,
    build_conv_layer,
    build_dropout,
    build_feedforward_network,
    build_norm_layer,
    build_positional_encoding,
    build_transformer_layer,
    build_transformer_layer_sequence,
)
from brickwork.compat import _mmcv1

__getattr__, __dir__ = _mmcv1.attributes(__name__)
