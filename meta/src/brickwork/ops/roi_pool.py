"""RoIPool."""

from brickwork_ops import RoIPool as RoIPool
from brickwork_ops import roi_pool as roi_pool
