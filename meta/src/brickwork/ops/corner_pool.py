"""Corner pooling."""

from brickwork_ops import CornerPool as CornerPool
