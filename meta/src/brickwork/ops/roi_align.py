"""RoIAlign."""

from brickwork_ops import RoIAlign as RoIAlign
from brickwork_ops import roi_align as roi_align
