"""Non-local blocks."""

import brickwork_modules
from brickwork_modules import NonLocal1d as NonLocal1d
from brickwork_modules import NonLocal2d as NonLocal2d
from brickwork_modules import NonLocal3d as NonLocal3d

_NonLocalNd = brickwork_modules.NonLocalNd  # users of mmcv subclass it
