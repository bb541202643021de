"""Weight initialization."""

from brickwork_init import INITIALIZERS as INITIALIZERS
from brickwork_init import Caffe2XavierInit as Caffe2XavierInit
from brickwork_init import ConstantInit as ConstantInit
from brickwork_init import Initializer
from brickwork_init import KaimingInit as KaimingInit
from brickwork_init import NormalInit as NormalInit
from brickwork_init import TruncNormalInit as TruncNormalInit
from brickwork_init import UniformInit as UniformInit
from brickwork_init import XavierInit as XavierInit
from brickwork_init import bias_init_with_prob as bias_init_with_prob
from brickwork_init import caffe2_xavier_init as caffe2_xavier_init
from brickwork_init import constant_init as constant_init
from brickwork_init import initialize as initialize
from brickwork_init import kaiming_init as kaiming_init
from brickwork_init import normal_init as normal_init
from brickwork_init import trunc_normal_ as trunc_normal_
from brickwork_init import trunc_normal_init as trunc_normal_init
from brickwork_init import uniform_init as uniform_init
from brickwork_init import xavier_init as xavier_init
from brickwork_zoo import PretrainedInit as PretrainedInit

from brickwork._init_info import update_init_info as update_init_info

BaseInit = Initializer  # its name in mmcv
