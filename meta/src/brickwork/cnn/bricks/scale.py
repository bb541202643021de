"""A learnable scale."""

from brickwork_layers import LayerScale as LayerScale
from brickwork_layers import Scale as Scale
