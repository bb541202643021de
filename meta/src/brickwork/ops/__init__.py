"""Names of `mmcv.ops`: deformable convolution and attention, NMS, RoI layers, focal losses, CARAFE.

Nothing is lazy here: several functions have the name of their module and must replace it.
"""

from brickwork_layers import Conv2d as Conv2d
from brickwork_layers import ConvTranspose2d as ConvTranspose2d
from brickwork_layers import Linear as Linear
from brickwork_layers import MaxPool2d as MaxPool2d

from .bbox import bbox_overlaps as bbox_overlaps
from .carafe import CARAFE as CARAFE
from .carafe import CARAFENaive as CARAFENaive
from .carafe import CARAFEPack as CARAFEPack
from .carafe import carafe as carafe
from .carafe import carafe_naive as carafe_naive
from .cc_attention import CrissCrossAttention as CrissCrossAttention
from .corner_pool import CornerPool as CornerPool
from .deform_conv import DeformConv2d as DeformConv2d
from .deform_conv import DeformConv2dPack as DeformConv2dPack
from .deform_conv import deform_conv2d as deform_conv2d
from .focal_loss import SigmoidFocalLoss as SigmoidFocalLoss
from .focal_loss import SoftmaxFocalLoss as SoftmaxFocalLoss
from .focal_loss import sigmoid_focal_loss as sigmoid_focal_loss
from .focal_loss import softmax_focal_loss as softmax_focal_loss
from .masked_conv import MaskedConv2d as MaskedConv2d
from .masked_conv import masked_conv2d as masked_conv2d
from .modulated_deform_conv import ModulatedDeformConv2d as ModulatedDeformConv2d
from .modulated_deform_conv import ModulatedDeformConv2dPack as ModulatedDeformConv2dPack
from .modulated_deform_conv import modulated_deform_conv2d as modulated_deform_conv2d
from .multi_scale_deform_attn import MultiScaleDeformableAttention as MultiScaleDeformableAttention
from .nms import batched_nms as batched_nms
from .nms import nms as nms
from .nms import nms_match as nms_match
from .nms import soft_nms as soft_nms
from .point_sample import SimpleRoIAlign as SimpleRoIAlign
from .point_sample import point_sample as point_sample
from .point_sample import rel_roi_point_to_rel_img_point as rel_roi_point_to_rel_img_point
from .psa_mask import PSAMask as PSAMask
from .roi_align import RoIAlign as RoIAlign
from .roi_align import roi_align as roi_align
from .roi_pool import RoIPool as RoIPool
from .roi_pool import roi_pool as roi_pool
from .saconv import SAConv2d as SAConv2d
from .sync_bn import SyncBatchNorm as SyncBatchNorm
