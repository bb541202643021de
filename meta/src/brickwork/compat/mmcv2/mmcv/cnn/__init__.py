"""`mmcv.cnn`, provided by brickwork."""

from brickwork.cnn import (
    VGG,
    AlexNet,
    ContextBlock,
    Conv2d,
    Conv2dRFSearchOp,
    Conv3d,
    ConvAWS2d,
    ConvModule,
    ConvTranspose2d,
    ConvTranspose3d,
    ConvWS2d,
    DepthwiseSeparableConvModule,
    GeneralizedAttention,
    HSigmoid,
    HSwish,
    Linear,
    MaxPool2d,
    MaxPool3d,
    NonLocal1d,
    NonLocal2d,
    NonLocal3d,
    ResNet,
    RFSearchHook,
    Scale,
    Swish,
    build_activation_layer,
    build_conv_layer,
    build_norm_layer,
    build_padding_layer,
    build_plugin_layer,
    build_upsample_layer,
    conv_ws_2d,
    fuse_conv_bn,
    get_model_complexity_info,
    is_norm,
    make_res_layer,
    make_vgg_layer,
)
from brickwork.compat import _mmcv2

__path__ = _mmcv2.path(__name__)
__getattr__, __dir__ = _mmcv2.attributes(__name__)

_mmcv2.register_layers()
