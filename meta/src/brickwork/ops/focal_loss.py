"""Focal losses."""

from brickwork_ops import SigmoidFocalLoss as SigmoidFocalLoss
from brickwork_ops import SoftmaxFocalLoss as SoftmaxFocalLoss
from brickwork_ops import sigmoid_focal_loss as sigmoid_focal_loss
from brickwork_ops import softmax_focal_loss as softmax_focal_loss
