"""The registries of mmengine: roots that downstream packages hang theirs below.

A child asks its parent for what it does not have, and imports its `locations` before it does, as
mmengine's does and `brickwork_registry`'s does not.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

import brickwork_registry
from brickwork_init import INITIALIZERS
from brickwork_layers import (
    ACTIVATION_LAYERS,
    CONV_LAYERS,
    DROPOUT_LAYERS,
    NORM_LAYERS,
    PADDING_LAYERS,
    UPSAMPLE_LAYERS,
)
from brickwork_models import build_model_from_cfg
from brickwork_modules import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    PLUGIN_LAYERS,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
)
from brickwork_registry import build_from_cfg


class Registry(brickwork_registry.Registry[Any]):
    """A registry as mmengine has them.

    Args:
        name: What the entries are.
        build_func: See `brickwork_registry.Registry`.
        parent: The registry to become a child of, and to ask for what is missing.
        scope: The name by which others address this one; the package that makes it by default.
        locations: Modules to import before a name is given up, which register what they have.
        others: Registries of another tree that are asked last.
    """

    def __init__(
        self,
        name: str,
        build_func: Callable[..., Any] | None = None,
        parent: brickwork_registry.Registry[Any] | None = None,
        scope: str | None = None,
        locations: Sequence[str] = (),
        *,
        others: Sequence[brickwork_registry.Registry[Any]] = (),
    ) -> None:
        caller: str = sys._getframe(1).f_globals.get("__name__", "__main__")
        super().__init__(name, build_func, parent, scope or caller.partition(".")[0])
        self._locations = list(locations)
        self._others = tuple(others)

    def import_from_location(self) -> None:
        """Import the locations, once."""
        while self._locations:
            # off the list first: what is imported may ask this registry
            importlib.import_module(self._locations.pop(0))

    def get(self, key: str) -> Any:
        """Look an entry up: here, in the locations, in the parents, in the other trees."""
        found = super().get(key)
        if found is None and self._locations:
            self.import_from_location()
            found = super().get(key)
        if found is None and self.parent is not None:
            found = self.parent.get(key)
        for other in self._others if found is None else ():
            found = found or other.get(key)
        return found

    def resolve(self, kind: object) -> Any:
        """Turn the `type` of a config into the object to call."""
        found = self.get(kind) if isinstance(kind, str) else None
        return super().resolve(kind) if found is None else found


def _root(name: str, **options: Any) -> Registry:
    return Registry(name, scope="mmengine", **options)


RUNNERS = _root("runner")
RUNNER_CONSTRUCTORS = _root("runner constructor")
LOOPS = _root("loop")
HOOKS = _root("hook")
STRATEGIES = _root("strategy")
DATASETS = _root("dataset")
DATA_SAMPLERS = _root("data sampler")
TRANSFORMS = _root("transform")
MODELS = _root(
    "model",
    build_func=build_model_from_cfg,
    others=(
        *(CONV_LAYERS, NORM_LAYERS, ACTIVATION_LAYERS, PADDING_LAYERS, UPSAMPLE_LAYERS),
        *(DROPOUT_LAYERS, PLUGIN_LAYERS, ATTENTION, FEEDFORWARD_NETWORK, POSITIONAL_ENCODING),
        *(TRANSFORMER_LAYER, TRANSFORMER_LAYER_SEQUENCE),
    ),
)
MODEL_WRAPPERS = _root("model_wrapper")
WEIGHT_INITIALIZERS = _root("weight initializer", others=(INITIALIZERS,))
OPTIMIZERS = _root("optimizer")
OPTIM_WRAPPERS = _root("optim_wrapper")
OPTIM_WRAPPER_CONSTRUCTORS = _root("optimizer wrapper constructor")
PARAM_SCHEDULERS = _root("parameter scheduler")
METRICS = _root("metric")
EVALUATOR = _root("evaluator")
TASK_UTILS = _root("task util")
VISUALIZERS = _root("visualizer")
VISBACKENDS = _root("vis_backend")
LOG_PROCESSORS = _root("log_processor")
INFERENCERS = _root("inferencer")
FUNCTIONS = _root("function")

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
    "Registry",
    "build_from_cfg",
    "build_model_from_cfg",
]
