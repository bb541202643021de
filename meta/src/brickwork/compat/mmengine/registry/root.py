"""The registries of mmengine: roots that downstream packages hang theirs below.

What is registered in `MODELS` is found wherever a layer is built from a config, as in mmcv 2.x, see
`_asking`.
"""

from typing import Any

import brickwork_registry
from brickwork_init import INITIALIZERS

from brickwork.cnn.bricks import registry as bricks

from ._asking import ask
from .build_functions import (
    build_model_from_cfg,
    build_runner_from_cfg,
    build_scheduler_from_cfg,
)
from .registry import Registry

__all__ = [
    "DATASETS",
    "DATA_SAMPLERS",
    "EVALUATOR",
    "FUNCTIONS",
    "HOOKS",
    "INFERENCERS",
    "LOG_PROCESSORS",
    "LOOPS",
    "METRICS",
    "MODELS",
    "MODEL_WRAPPERS",
    "OPTIMIZERS",
    "OPTIM_WRAPPERS",
    "OPTIM_WRAPPER_CONSTRUCTORS",
    "PARAM_SCHEDULERS",
    "RUNNERS",
    "RUNNER_CONSTRUCTORS",
    "STRATEGIES",
    "TASK_UTILS",
    "TRANSFORMS",
    "VISBACKENDS",
    "VISUALIZERS",
    "WEIGHT_INITIALIZERS",
]


def _root(name: str, **options: Any) -> Registry:
    return Registry(name, scope="mmengine", **options)


RUNNERS = _root("runner", build_func=build_runner_from_cfg)
RUNNER_CONSTRUCTORS = _root("runner constructor")
LOOPS = _root("loop")
HOOKS = _root("hook")
STRATEGIES = _root("strategy")
DATASETS = _root("dataset")
DATA_SAMPLERS = _root("data sampler")
TRANSFORMS = _root("transform")
_BRICKS: tuple[brickwork_registry.Registry[Any], ...] = tuple(
    getattr(bricks, name) for name in bricks.__all__
)
MODELS = _root("model", build_func=build_model_from_cfg, others=_BRICKS)
MODEL_WRAPPERS = _root("model_wrapper")
WEIGHT_INITIALIZERS = _root("weight initializer", others=(INITIALIZERS,))
OPTIMIZERS = _root("optimizer")
OPTIM_WRAPPERS = _root("optim_wrapper")
OPTIM_WRAPPER_CONSTRUCTORS = _root("optimizer wrapper constructor")
PARAM_SCHEDULERS = _root("parameter scheduler", build_func=build_scheduler_from_cfg)
METRICS = _root("metric")
EVALUATOR = _root("evaluator")
TASK_UTILS = _root("task util")
VISUALIZERS = _root("visualizer")
VISBACKENDS = _root("vis_backend")
LOG_PROCESSORS = _root("log_processor")
INFERENCERS = _root("inferencer")
FUNCTIONS = _root("function")

for _registry in _BRICKS:
    ask(_registry, MODELS)
ask(INITIALIZERS, WEIGHT_INITIALIZERS)
