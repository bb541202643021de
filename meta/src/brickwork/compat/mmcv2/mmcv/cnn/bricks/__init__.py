"""`mmcv.cnn.bricks`, provided by brickwork."""

from brickwork.cnn.bricks import (
    ContextBlock,
    Conv2d,
    Conv2dAdaptivePadding,
    Conv3d,
    ConvAWS2d,
    ConvModule,
    ConvTranspose2d,
    ConvTranspose3d,
    ConvWS2d,
    DepthwiseSeparableConvModule,
    Dropout,
    DropPath,
    GeneralizedAttention,
    HSigmoid,
    HSwish,
    LayerScale,
    Linear,
    MaxPool2d,
    MaxPool3d,
    NonLocal1d,
    NonLocal2d,
    NonLocal3d,
    Scale,
    Swish,
    build_activation_layer,
    build_conv_layer,
    build_norm_layer,
    build_padding_layer,
    build_plugin_layer,
    build_upsample_layer,
    conv_ws_2d,
    is_norm,
)
from brickwork.compat import _mmcv2

__path__ = _mmcv2.path(__name__)
__getattr__, __dir__ = _mmcv2.attributes(__name__)
