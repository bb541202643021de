"""`mmcv.cnn.utils`, provided by brickwork."""

from brickwork.cnn.utils import (
    INITIALIZERS,
    Caffe2XavierInit,
    ConstantInit,
    KaimingInit,
    NormalInit,
    PretrainedInit,
    TruncNormalInit,
    UniformInit,
    XavierInit,
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    get_model_complexity_info,
    initialize,
    kaiming_init,
    normal_init,
    revert_sync_batchnorm,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from brickwork.compat import _mmcv1

from .fuse_conv_bn import fuse_conv_bn

__path__ = _mmcv1.path(__name__)
__getattr__, __dir__ = _mmcv1.attributes(__name__)
