"""Non-maximum suppression."""

from brickwork_ops import batched_nms as batched_nms
from brickwork_ops import nms as nms
from brickwork_ops import nms_match as nms_match
from brickwork_ops import soft_nms as soft_nms
