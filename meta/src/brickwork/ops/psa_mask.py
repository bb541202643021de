"""Point-wise spatial attention masks."""

from brickwork_ops import PSAMask as PSAMask
from brickwork_ops import psa_mask as psa_mask
