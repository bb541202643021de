"""What `mmengine.model` offers and we have."""

from brickwork_base import BaseModule, ModuleDict, ModuleList, Sequential
from brickwork_init import (
    BaseInit,
    Caffe2XavierInit,
    ConstantInit,
    KaimingInit,
    NormalInit,
    TruncNormalInit,
    UniformInit,
    XavierInit,
    bias_init_with_prob,
    caffe2_xavier_init,
    constant_init,
    initialize,
    kaiming_init,
    normal_init,
    trunc_normal_init,
    uniform_init,
    xavier_init,
)
from brickwork_modules import revert_sync_batchnorm
from brickwork_zoo import PretrainedInit

from brickwork._init_info import update_init_info

__all__ = [
    "BaseInit",
    "BaseModule",
    "Caffe2XavierInit",
    "ConstantInit",
    "KaimingInit",
    "ModuleDict",
    "ModuleList",
    "NormalInit",
    "PretrainedInit",
    "Sequential",
    "TruncNormalInit",
    "UniformInit",
    "XavierInit",
    "bias_init_with_prob",
    "caffe2_xavier_init",
    "constant_init",
    "initialize",
    "kaiming_init",
    "normal_init",
    "revert_sync_batchnorm",
    "trunc_normal_init",
    "uniform_init",
    "update_init_info",
    "xavier_init",
]
