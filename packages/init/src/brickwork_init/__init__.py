"""Weight initialization from config dicts, and a record of where each value came from."""

from . import errors as errors
from ._deferred import deferred as deferred
from ._deferred import uninitialized as uninitialized
from ._fills import trunc_normal_ as trunc_normal_
from ._finalize import finalize as finalize
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
from ._initializer import Initializer as Initializer
from ._initializer import bias_init_with_prob as bias_init_with_prob
from ._initializers import Caffe2XavierInit as Caffe2XavierInit
from ._initializers import ConstantInit as ConstantInit
from ._initializers import KaimingInit as KaimingInit
from ._initializers import NormalInit as NormalInit
from ._initializers import TruncNormalInit as TruncNormalInit
from ._initializers import UniformInit as UniformInit
from ._initializers import XavierInit as XavierInit
from ._loaded import RecordingModule as RecordingModule
from ._loaded import is_loaded as is_loaded
from ._loaded import mark_loaded as mark_loaded
from ._loaded import recording_paused as recording_paused
from ._matched_rules import MatchedRule as MatchedRule
from ._matched_rules import matched_rules as matched_rules
from ._more_initializers import DiracInit as DiracInit
from ._more_initializers import EyeInit as EyeInit
from ._more_initializers import IdentityResidualInit as IdentityResidualInit
from ._more_initializers import LeCunInit as LeCunInit
from ._more_initializers import OrthogonalInit as OrthogonalInit
from ._more_initializers import ViTTruncNormalInit as ViTTruncNormalInit
from ._report import InitReport as InitReport
from ._report import init_report as init_report
from ._report import log_report as log_report
from ._session import Session as Session
from ._session import current_session as current_session
from ._session import initialization_session as initialization_session

__version__ = "0.1.0"

__all__ = [
    "INITIALIZERS",
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
    "MatchedRule",
    "NormalInit",
    "OrthogonalInit",
    "RecordingModule",
    "Session",
    "TruncNormalInit",
    "UniformInit",
    "ViTTruncNormalInit",
    "XavierInit",
    "bias_init_with_prob",
    "caffe2_xavier_init",
    "constant_init",
    "current_session",
    "deferred",
    "errors",
    "finalize",
    "init_report",
    "initialization_session",
    "initialize",
    "is_loaded",
    "kaiming_init",
    "log_report",
    "mark_loaded",
    "matched_rules",
    "normal_init",
    "recording_paused",
    "trunc_normal_",
    "trunc_normal_init",
    "uniform_init",
    "uninitialized",
    "xavier_init",
]
