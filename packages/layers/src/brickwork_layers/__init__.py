"""Convolution, norm, activation, padding, upsampling and dropout layers from config dicts."""

from ._activation import build_activation_layer as build_activation_layer
from ._clamp import Clamp as Clamp
from ._conv import build_conv_layer as build_conv_layer
from ._conv2d_adaptive_padding import Conv2dAdaptivePadding as Conv2dAdaptivePadding
from ._conv_ws import ConvAWS2d as ConvAWS2d
from ._conv_ws import ConvWS2d as ConvWS2d
from ._conv_ws import conv_ws_2d as conv_ws_2d
from ._drop import Dropout as Dropout
from ._drop import DropPath as DropPath
from ._drop import build_dropout as build_dropout
from ._drop import drop_path as drop_path
from ._grn import GRN as GRN
from ._hard import HSigmoid as HSigmoid
from ._hard import HSwish as HSwish
from ._layer_norm_2d import LayerNorm2d as LayerNorm2d
from ._norm import build_norm_layer as build_norm_layer
from ._norm import infer_abbr as infer_abbr
from ._norm import is_norm as is_norm
from ._padding import build_padding_layer as build_padding_layer
from ._registries import ACTIVATION_LAYERS as ACTIVATION_LAYERS
from ._registries import CONV_LAYERS as CONV_LAYERS
from ._registries import DROPOUT_LAYERS as DROPOUT_LAYERS
from ._registries import NORM_LAYERS as NORM_LAYERS
from ._registries import PADDING_LAYERS as PADDING_LAYERS
from ._registries import UPSAMPLE_LAYERS as UPSAMPLE_LAYERS
from ._scale import LayerScale as LayerScale
from ._scale import Scale as Scale
from ._swish import Swish as Swish
from ._sync_bn import SyncBatchNorm as SyncBatchNorm
from ._typing import LayerConfig as LayerConfig
from ._upsample import PixelShufflePack as PixelShufflePack
from ._upsample import build_upsample_layer as build_upsample_layer
from ._wrappers import Conv2d as Conv2d
from ._wrappers import Conv3d as Conv3d
from ._wrappers import ConvTranspose2d as ConvTranspose2d
from ._wrappers import ConvTranspose3d as ConvTranspose3d
from ._wrappers import Linear as Linear
from ._wrappers import MaxPool2d as MaxPool2d
from ._wrappers import MaxPool3d as MaxPool3d

__version__ = "0.1.0"

__all__ = [
    "ACTIVATION_LAYERS",
    "CONV_LAYERS",
    "DROPOUT_LAYERS",
    "GRN",
    "NORM_LAYERS",
    "PADDING_LAYERS",
    "UPSAMPLE_LAYERS",
    "Clamp",
    "Conv2d",
    "Conv2dAdaptivePadding",
    "Conv3d",
    "ConvAWS2d",
    "ConvTranspose2d",
    "ConvTranspose3d",
    "ConvWS2d",
    "DropPath",
    "Dropout",
    "HSigmoid",
    "HSwish",
    "LayerConfig",
    "LayerNorm2d",
    "LayerScale",
    "Linear",
    "MaxPool2d",
    "MaxPool3d",
    "PixelShufflePack",
    "Scale",
    "Swish",
    "SyncBatchNorm",
    "build_activation_layer",
    "build_conv_layer",
    "build_dropout",
    "build_norm_layer",
    "build_padding_layer",
    "build_upsample_layer",
    "conv_ws_2d",
    "drop_path",
    "infer_abbr",
    "is_norm",
]
