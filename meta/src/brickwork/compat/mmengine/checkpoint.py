"""Loading checkpoints, as `mmengine.runner.checkpoint` has it."""

from brickwork_zoo import (
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
    load_from_openmmlab,
    load_from_torchvision,
    load_state_dict,
    weights_to_cpu,
)

__all__ = [
    "CheckpointLoader",
    "_load_checkpoint",
    "_load_checkpoint_with_prefix",
    "get_deprecated_model_names",
    "get_external_models",
    "get_mmcls_models",
    "get_state_dict",
    "get_torchvision_models",
    "load_checkpoint",
    "load_from_http",
    "load_from_local",
    "load_from_openmmlab",
    "load_from_torchvision",
    "load_state_dict",
    "weights_to_cpu",
]
