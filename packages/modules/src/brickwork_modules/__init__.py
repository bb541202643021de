"""Modules from config dicts: ConvModule, attention blocks, transformer layers; model tools."""

from ._adaptive_padding import AdaptivePadding as AdaptivePadding
from ._build import build_attention as build_attention
from ._build import build_feedforward_network as build_feedforward_network
from ._build import build_positional_encoding as build_positional_encoding
from ._build import build_transformer_layer as build_transformer_layer
from ._build import build_transformer_layer_sequence as build_transformer_layer_sequence
from ._complexity import Complexity as Complexity
from ._complexity import ModuleComplexity as ModuleComplexity
from ._complexity import count_complexity as count_complexity
from ._complexity import flops_to_string as flops_to_string
from ._complexity import get_model_complexity_info as get_model_complexity_info
from ._complexity import get_model_parameters_number as get_model_parameters_number
from ._complexity import params_to_string as params_to_string
from ._context_block import ContextBlock as ContextBlock
from ._conv_module import ConvModule as ConvModule
from ._depthwise_separable_conv_module import (
    DepthwiseSeparableConvModule as DepthwiseSeparableConvModule,
)
from ._efficient_eval import efficient_conv_bn_eval_forward as efficient_conv_bn_eval_forward
from ._eval_mode import eval_mode as eval_mode
from ._ffn import FFN as FFN
from ._flop_counter import FlopCounts as FlopCounts
from ._flop_counter import count_flops as count_flops
from ._flops_methods import add_flops_counting_methods as add_flops_counting_methods
from ._flops_methods import compute_average_flops_cost as compute_average_flops_cost
from ._flops_methods import reset_flops_count as reset_flops_count
from ._flops_methods import start_flops_count as start_flops_count
from ._flops_methods import stop_flops_count as stop_flops_count
from ._fuse import FusionError as FusionError
from ._fuse import fuse_conv_bn as fuse_conv_bn
from ._fuse_plan import ConvBN as ConvBN
from ._fuse_plan import find_conv_bn as find_conv_bn
from ._generalized_attention import GeneralizedAttention as GeneralizedAttention
from ._multihead_attention import MultiheadAttention as MultiheadAttention
from ._non_local import NonLocal1d as NonLocal1d
from ._non_local import NonLocal2d as NonLocal2d
from ._non_local import NonLocal3d as NonLocal3d
from ._non_local import NonLocalNd as NonLocalNd
from ._patch_embed import PatchEmbed as PatchEmbed
from ._patch_merging import PatchMerging as PatchMerging
from ._plugin import build_plugin_layer as build_plugin_layer
from ._plugin import infer_abbr as infer_abbr
from ._registries import ATTENTION as ATTENTION
from ._registries import FEEDFORWARD_NETWORK as FEEDFORWARD_NETWORK
from ._registries import PLUGIN_LAYERS as PLUGIN_LAYERS
from ._registries import POSITIONAL_ENCODING as POSITIONAL_ENCODING
from ._registries import TRANSFORMER_LAYER as TRANSFORMER_LAYER
from ._registries import TRANSFORMER_LAYER_SEQUENCE as TRANSFORMER_LAYER_SEQUENCE
from ._sync_bn import revert_sync_batchnorm as revert_sync_batchnorm
from ._transformer_layer import BaseTransformerLayer as BaseTransformerLayer
from ._transformer_layer_sequence import TransformerLayerSequence as TransformerLayerSequence
from ._turn_on_efficient_eval import (
    turn_on_efficient_conv_bn_eval as turn_on_efficient_conv_bn_eval,
)
from .rfsearch import BaseConvRFSearchOp as BaseConvRFSearchOp
from .rfsearch import Conv2dRFSearchOp as Conv2dRFSearchOp
from .rfsearch import RFSearchHook as RFSearchHook

__version__ = "0.1.0"

__all__ = [
    "ATTENTION",
    "FEEDFORWARD_NETWORK",
    "FFN",
    "PLUGIN_LAYERS",
    "POSITIONAL_ENCODING",
    "TRANSFORMER_LAYER",
    "TRANSFORMER_LAYER_SEQUENCE",
    "AdaptivePadding",
    "BaseConvRFSearchOp",
    "BaseTransformerLayer",
    "Complexity",
    "ContextBlock",
    "Conv2dRFSearchOp",
    "ConvBN",
    "ConvModule",
    "DepthwiseSeparableConvModule",
    "FlopCounts",
    "FusionError",
    "GeneralizedAttention",
    "ModuleComplexity",
    "MultiheadAttention",
    "NonLocal1d",
    "NonLocal2d",
    "NonLocal3d",
    "NonLocalNd",
    "PatchEmbed",
    "PatchMerging",
    "RFSearchHook",
    "TransformerLayerSequence",
    "add_flops_counting_methods",
    "build_attention",
    "build_feedforward_network",
    "build_plugin_layer",
    "build_positional_encoding",
    "build_transformer_layer",
    "build_transformer_layer_sequence",
    "compute_average_flops_cost",
    "count_complexity",
    "count_flops",
    "efficient_conv_bn_eval_forward",
    "eval_mode",
    "find_conv_bn",
    "flops_to_string",
    "fuse_conv_bn",
    "get_model_complexity_info",
    "get_model_parameters_number",
    "infer_abbr",
    "params_to_string",
    "reset_flops_count",
    "revert_sync_batchnorm",
    "start_flops_count",
    "stop_flops_count",
    "turn_on_efficient_conv_bn_eval",
]
