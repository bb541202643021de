from brickwork_base import BaseModule as BaseModule
from brickwork_base import ModuleDict as ModuleDict
from brickwork_base import ModuleList as ModuleList
from brickwork_base import Sequential as Sequential
from brickwork_zoo import get_state_dict as get_state_dict
from brickwork_zoo import load_checkpoint as load_checkpoint
from brickwork_zoo import load_state_dict as load_state_dict
from brickwork_zoo import save_checkpoint as save_checkpoint
from brickwork_zoo import weights_to_cpu as weights_to_cpu

from . import base_module as base_module
from . import checkpoint as checkpoint
from . import dist_utils as dist_utils
from . import fp16_utils as fp16_utils
from .checkpoint import CheckpointLoader as CheckpointLoader
from .checkpoint import _load_checkpoint as _load_checkpoint
from .checkpoint import _load_checkpoint_with_prefix as _load_checkpoint_with_prefix
from .dist_utils import allreduce_grads as allreduce_grads
from .dist_utils import allreduce_params as allreduce_params
from .dist_utils import get_dist_info as get_dist_info
from .dist_utils import init_dist as init_dist
from .dist_utils import master_only as master_only
from .fp16_utils import auto_fp16 as auto_fp16
from .fp16_utils import force_fp32 as force_fp32
from .fp16_utils import wrap_fp16_model as wrap_fp16_model
from .hooks import HOOKS as HOOKS
from .hooks import Hook as Hook
from .optimizer import OPTIMIZER_BUILDERS as OPTIMIZER_BUILDERS
from .optimizer import OPTIMIZERS as OPTIMIZERS
from .optimizer import DefaultOptimizerConstructor as DefaultOptimizerConstructor
from .optimizer import build_optimizer as build_optimizer
from .optimizer import build_optimizer_constructor as build_optimizer_constructor
from .utils import get_host_info as get_host_info
from .utils import get_time_str as get_time_str
from .utils import obj_from_dict as obj_from_dict
from .utils import set_random_seed as set_random_seed

__all__: list[str]
