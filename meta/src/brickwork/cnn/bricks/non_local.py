"""Non-local blocks."""

from brickwork_modules import NonLocal1d as NonLocal1d
from brickwork_modules import NonLocal2d as NonLocal2d
from brickwork_modules import NonLocal3d as NonLocal3d
from brickwork_modules import NonLocalNd as _NonLocalNd  # noqa: F401  (subclassed by users of mmcv)
