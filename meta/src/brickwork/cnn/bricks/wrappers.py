"""Layers under their old wrapper names."""

from brickwork_layers import Conv2d as Conv2d
from brickwork_layers import Conv3d as Conv3d
from brickwork_layers import ConvTranspose2d as ConvTranspose2d
from brickwork_layers import ConvTranspose3d as ConvTranspose3d
from brickwork_layers import Linear as Linear
from brickwork_layers import MaxPool2d as MaxPool2d
from brickwork_layers import MaxPool3d as MaxPool3d

from brickwork.utils.torch_ops import NewEmptyTensorOp as NewEmptyTensorOp
from brickwork.utils.torch_ops import obsolete_torch_version as obsolete_torch_version
