"""The model families, one file each; importing this package registers all of them.

A family's file contains its model, the rows of its checkpoints and its key maps. To add a family,
write its file and add its line here; ``__all__`` of the file lists what the package exports.
"""

from ._alexnet import *
from ._convnext import *
from ._darknet import *
from ._efficientnet_lite import *
from ._hrnet import *
from ._mobilenet_v2 import *
from ._regnet import *
from ._res2net import *
from ._resnet import *
from ._resnext import *
from ._vgg import *
