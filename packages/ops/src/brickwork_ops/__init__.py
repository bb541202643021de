"""The operators of mmcv.ops in plain PyTorch: same names, arguments, defaults and state-dict keys.

A name of mmcv.ops that is not here raises an error that says which library has it.
"""

from . import errors as errors
from ._backends import Backend as Backend
from ._backends import backends as backends
from ._backends import set_backend as set_backend
from ._batched_nms import batched_nms as batched_nms
from ._boxes import OverlapMode as OverlapMode
from ._boxes import bbox_overlaps as bbox_overlaps
from ._carafe import CARAFE as CARAFE
from ._carafe import CARAFENaive as CARAFENaive
from ._carafe import CARAFEPack as CARAFEPack
from ._carafe import carafe as carafe
from ._carafe import carafe_naive as carafe_naive
from ._corner_pool import CornerPool as CornerPool
from ._corner_pool import CornerPoolMode as CornerPoolMode
from ._criss_cross import CrissCrossAttention as CrissCrossAttention
from ._deform_conv import deform_conv2d as deform_conv2d
from ._deform_conv import modulated_deform_conv2d as modulated_deform_conv2d
from ._deform_conv_layers import DeformConv2d as DeformConv2d
from ._deform_conv_layers import DeformConv2dPack as DeformConv2dPack
from ._deform_conv_layers import ModulatedDeformConv2d as ModulatedDeformConv2d
from ._deform_conv_layers import ModulatedDeformConv2dPack as ModulatedDeformConv2dPack
from ._elsewhere import PROVIDERS as _PROVIDERS
from ._focal_loss import Reduction as Reduction
from ._focal_loss import SigmoidFocalLoss as SigmoidFocalLoss
from ._focal_loss import SoftmaxFocalLoss as SoftmaxFocalLoss
from ._focal_loss import sigmoid_focal_loss as sigmoid_focal_loss
from ._focal_loss import softmax_focal_loss as softmax_focal_loss
from ._masked_conv import MaskedConv2d as MaskedConv2d
from ._masked_conv import masked_conv2d as masked_conv2d
from ._ms_deform_attn import MultiScaleDeformableAttnFunction as MultiScaleDeformableAttnFunction
from ._ms_deform_attn import ms_deform_attn_backward as ms_deform_attn_backward
from ._ms_deform_attn import ms_deform_attn_forward as ms_deform_attn_forward
from ._ms_deform_attn import (
    multi_scale_deformable_attn_pytorch as multi_scale_deformable_attn_pytorch,
)
from ._ms_deform_attn_layer import MultiScaleDeformableAttention as MultiScaleDeformableAttention
from ._nms import nms as nms
from ._nms import nms_match as nms_match
from ._onnx import onnx_translations as onnx_translations
from ._point_sample import SimpleRoIAlign as SimpleRoIAlign
from ._point_sample import abs_img_point_to_rel_img_point as abs_img_point_to_rel_img_point
from ._point_sample import bilinear_grid_sample as bilinear_grid_sample
from ._point_sample import denormalize as denormalize
from ._point_sample import generate_grid as generate_grid
from ._point_sample import get_shape_from_feature_map as get_shape_from_feature_map
from ._point_sample import normalize as normalize
from ._point_sample import point_sample as point_sample
from ._point_sample import rel_roi_point_to_abs_img_point as rel_roi_point_to_abs_img_point
from ._point_sample import rel_roi_point_to_rel_img_point as rel_roi_point_to_rel_img_point
from ._psa_mask import PSAMask as PSAMask
from ._psa_mask import PSAType as PSAType
from ._psa_mask import psa_mask as psa_mask
from ._roi_align import PoolMode as PoolMode
from ._roi_align import RoIAlign as RoIAlign
from ._roi_align import roi_align as roi_align
from ._roi_pool import RoIPool as RoIPool
from ._roi_pool import roi_pool as roi_pool
from ._sac import SAConv2d as SAConv2d
from ._soft_nms import SoftNMSMethod as SoftNMSMethod
from ._soft_nms import soft_nms as soft_nms
from ._sync_bn import SyncBatchNorm as SyncBatchNorm

__version__ = "0.1.0"

__all__ = [
    "CARAFE",
    "Backend",
    "CARAFENaive",
    "CARAFEPack",
    "CornerPool",
    "CornerPoolMode",
    "CrissCrossAttention",
    "DeformConv2d",
    "DeformConv2dPack",
    "MaskedConv2d",
    "ModulatedDeformConv2d",
    "ModulatedDeformConv2dPack",
    "MultiScaleDeformableAttention",
    "MultiScaleDeformableAttnFunction",
    "OverlapMode",
    "PSAMask",
    "PSAType",
    "PoolMode",
    "Reduction",
    "RoIAlign",
    "RoIPool",
    "SAConv2d",
    "SigmoidFocalLoss",
    "SimpleRoIAlign",
    "SoftNMSMethod",
    "SoftmaxFocalLoss",
    "SyncBatchNorm",
    "abs_img_point_to_rel_img_point",
    "backends",
    "batched_nms",
    "bbox_overlaps",
    "bilinear_grid_sample",
    "carafe",
    "carafe_naive",
    "deform_conv2d",
    "denormalize",
    "errors",
    "generate_grid",
    "get_shape_from_feature_map",
    "masked_conv2d",
    "modulated_deform_conv2d",
    "ms_deform_attn_backward",
    "ms_deform_attn_forward",
    "multi_scale_deformable_attn_pytorch",
    "nms",
    "nms_match",
    "normalize",
    "onnx_translations",
    "point_sample",
    "psa_mask",
    "rel_roi_point_to_abs_img_point",
    "rel_roi_point_to_rel_img_point",
    "roi_align",
    "roi_pool",
    "set_backend",
    "sigmoid_focal_loss",
    "soft_nms",
    "softmax_focal_loss",
]


def __getattr__(name: str) -> object:
    if name in _PROVIDERS:
        raise errors.OperatorUnavailableError(name, _PROVIDERS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
