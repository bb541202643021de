"""Weight initialisation from config dicts, with provenance by parameter."""

from . import errors as errors
from ._deferred import deferred as deferred
from ._fills import trunc_normal_ as trunc_normal_
from ._foreign import install as _install
from ._functions import caffe2_xavier_init as caffe2_xavier_init
from ._functions import constant_init as constant_init
from ._functions import kaiming_init as kaiming_init
from ._functions import normal_init as normal_init
from ._functions import trunc_normal_init as trunc_normal_init
from ._functions import uniform_init as uniform_init
from ._functions import xavier_init as xavier_init
from ._initialize import InitCfg as InitCfg
from ._initialize import initialize as initialize
from ._initializer import INITIALIZERS as INITIALIZERS
from ._initializer import Initializer as BaseInit
from ._initializer import Initializer as Initializer
from ._initializer import bias_init_with_prob as bias_init_with_prob
from ._initializers import Caffe2XavierInit as Caffe2XavierInit
from ._initializers import ConstantInit as ConstantInit
from ._initializers import KaimingInit as KaimingInit
from ._initializers import NormalInit as NormalInit
from ._initializers import TruncNormalInit as TruncNormalInit
from ._initializers import UniformInit as UniformInit
from ._initializers import XavierInit as XavierInit
from ._memory import unset as unset
from ._more_initializers import DiracInit as DiracInit
from ._more_initializers import EyeInit as EyeInit
from ._more_initializers import IdentityResidualInit as IdentityResidualInit
from ._more_initializers import LeCunInit as LeCunInit
from ._more_initializers import OrthogonalInit as OrthogonalInit
from ._more_initializers import ViTTruncNormalInit as ViTTruncNormalInit
from ._report import InitReport as InitReport
from ._report import init_report as init_report
from ._report import log_report as log_report
from ._running import current_run as current_run
from ._running import is_loaded as is_loaded
from ._running import may_load as may_load
from ._running import record_loaded as record_loaded
from ._running import running as running
from ._watch import unwatched as unwatched

__version__ = "0.1.0"

_install()

__all__ = [
    "INITIALIZERS",
    "BaseInit",
    "Caffe2XavierInit",
    "ConstantInit",
    "DiracInit",
    "EyeInit",
    "IdentityResidualInit",
    "InitCfg",
    "InitReport",
    "Initializer",
    "KaimingInit",
    "LeCunInit",
    "NormalInit",
    "OrthogonalInit",
    "TruncNormalInit",
    "UniformInit",
    "ViTTruncNormalInit",
    "XavierInit",
    "bias_init_with_prob",
    "caffe2_xavier_init",
    "constant_init",
    "current_run",
    "deferred",
    "errors",
    "init_report",
    "initialize",
    "is_loaded",
    "kaiming_init",
    "log_report",
    "may_load",
    "normal_init",
    "record_loaded",
    "running",
    "trunc_normal_",
    "trunc_normal_init",
    "uniform_init",
    "unset",
    "unwatched",
    "xavier_init",
]
