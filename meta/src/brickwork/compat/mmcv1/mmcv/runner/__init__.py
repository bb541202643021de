"""`mmcv.runner`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner import (
    BaseModule,
    CheckpointLoader,
    ModuleDict,
    ModuleList,
    Sequential,
    _load_checkpoint,
    _load_checkpoint_with_prefix,
    allreduce_grads,
    allreduce_params,
    auto_fp16,
    force_fp32,
    get_dist_info,
    get_host_info,
    get_time_str,
    init_dist,
    load_checkpoint,
    load_state_dict,
    master_only,
    obj_from_dict,
    save_checkpoint,
    set_random_seed,
    weights_to_cpu,
    wrap_fp16_model,
)
from brickwork.runner.hooks import HOOKS, Hook
from brickwork.runner.optimizer import (
    OPTIMIZER_BUILDERS,
    OPTIMIZERS,
    DefaultOptimizerConstructor,
    build_optimizer,
    build_optimizer_constructor,
)

__path__ = _mmcv1.path(__name__)
__getattr__, __dir__ = _mmcv1.attributes(__name__)

# The hooks and runners of an installed mmcv register themselves, for configs that name them.
_mmcv1.import_installed(__name__)
