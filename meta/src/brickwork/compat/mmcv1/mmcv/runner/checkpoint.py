"""`mmcv.runner.checkpoint`, provided by brickwork."""

from brickwork.compat import _mmcv1
from brickwork.runner.checkpoint import (
    CheckpointLoader,
    _load_checkpoint,
    _load_checkpoint_with_prefix,
    get_deprecated_model_names,
    get_external_models,
    get_mmcls_models,
    get_state_dict,
    get_torchvision_models,
    load_checkpoint,
    load_from_http,
    load_from_local,
    load_from_mmcls,
    load_from_openmmlab,
    load_from_torchvision,
    load_state_dict,
    save_checkpoint,
    weights_to_cpu,
)

__getattr__, __dir__ = _mmcv1.attributes(__name__)
