"""The registries of mmengine: roots that downstream packages hang theirs below.

A child asks its parent for what it does not have, and imports its `locations` before it does; a
build looks in the registry of the default scope, or of the config's `_scope_`, first. So do
mmengine's, and `brickwork_registry`'s do not. What is registered in `MODELS` is found wherever a
layer is built from a config, as in mmcv 2.x, see `_asking`.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import brickwork_registry
from brickwork_base import Sequential
from brickwork_init import INITIALIZERS
from brickwork_layers import (
    ACTIVATION_LAYERS,
    CONV_LAYERS,
    DROPOUT_LAYERS,
    NORM_LAYERS,
    PADDING_LAYERS,
    UPSAMPLE_LAYERS,
)
from brickwork_modules import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    PLUGIN_LAYERS,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
)


def _default_scope() -> Any:
    """Return the class that knows the default scope: mmengine's own where it is installed."""
    try:
        return importlib.import_module("mmengine.registry.default_scope").DefaultScope
    except ImportError:  # no mmengine, and ours is not installed in its place
        return importlib.import_module("brickwork.compat.mmengine.scope").DefaultScope


def _import_if_there(module: str) -> None:
    """Import a module, for what it registers, unless there is none."""
    with contextlib.suppress(ModuleNotFoundError):  # another failure is for the user to see
        if importlib.util.find_spec(module):
            importlib.import_module(module)


def _import_path(path: str) -> Any:
    """Return what the full name of a class or function leads to; None if it leads nowhere."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name, None) if module else None
    except ImportError:
        return None


class Registry(brickwork_registry.Registry[Any]):
    """A registry as mmengine has them.

    Args:
        name: What the entries are.
        build_func: Called with `registry=` by `build`; that of the parent, or `build_from_cfg`.
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
        if build_func is None and parent is None:
            build_func = build_from_cfg
        super().__init__(name, build_func, parent, scope or caller.partition(".")[0])
        self._locations = list(locations)
        self._others = tuple(others)

    @property
    def root(self) -> brickwork_registry.Registry[Any]:
        """The registry at the top of the tree."""
        found: brickwork_registry.Registry[Any] = self
        while found.parent is not None:
            found = found.parent
        return found

    def import_from_location(self) -> None:
        """Import the locations, once."""
        while self._locations:
            # off the list first: what is imported may ask this registry
            importlib.import_module(self._locations.pop(0))

    def get(self, key: str) -> Any:
        """Look an entry up.

        Args:
            key: A name, looked for here, in the locations, in the parents and in the other trees;
                with a scope in front, in the registry of that scope alone, whose package is
                imported; or the full name of a class or function.

        Returns:
            The object; None if there is none.
        """
        found = self.in_tree(key)
        registry: Any = self
        while found is None and isinstance(registry, Registry):
            found = next(filter(None, (other.get(key) for other in registry._others)), None)
            registry = registry.parent
        return found

    def in_tree(self, key: str) -> Any:
        """Look an entry up as `get` does, but not in the other trees."""
        scope, name = self.split_scope_key(key) if isinstance(key, str) else (None, key)
        if scope is not None and scope != self.scope:
            _import_if_there(f"{scope}.registry")
            owner = _child(self, scope) or _child(self.root, scope)
            found = owner.get(name) if owner is not None else None
            return _import_path(key) if found is None else found
        found = super().get(name)
        if found is None and self._locations:
            self.import_from_location()
            found = super().get(name)
        if found is None and scope is None and isinstance(self.parent, Registry):
            found = self.parent.in_tree(name)
        return found

    def resolve(self, kind: object) -> Any:
        """Turn the `type` of a config into the object to call."""
        found = self.get(kind) if isinstance(kind, str) else None
        return super().resolve(kind) if found is None else found

    @contextlib.contextmanager
    def switch_scope_and_registry(self, scope: str | None) -> Iterator[Any]:
        """Make a scope the default one for the length of a `with` block.

        Args:
            scope: The scope; None leaves the default scope as it is.

        Yields:
            The registry of this tree that has the default scope; this one if none has.
        """
        with _default_scope().overwrite_default_scope(scope):
            current = _default_scope().get_current_instance()
            if current is None:
                yield self
                return
            _import_if_there(f"{current.scope_name}.registry")
            yield _child(self.root, current.scope_name) or self


def _child(registry: brickwork_registry.Registry[Any], scope: str) -> Any:
    """Find the registry of a scope in a tree, from `registry` down."""
    if registry.scope == scope:
        return registry
    found = (_child(child, scope) for child in registry.children.values())
    return next((one for one in found if one is not None), None)


def _switched(
    registry: brickwork_registry.Registry[Any], scope: str | None
) -> contextlib.AbstractContextManager[Any]:
    if isinstance(registry, Registry):
        return registry.switch_scope_and_registry(scope)
    return contextlib.nullcontext(registry)


def build_from_cfg(
    cfg: Mapping[str, Any],
    registry: brickwork_registry.Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build the object that a config describes, in the default scope.

    Args:
        cfg: As `brickwork_registry.build_from_cfg` takes it; `_scope_` names another scope.
        registry: A registry of the tree that is looked in.
        default_args: Arguments, or the `type`, for the keys that `cfg` lacks.

    Returns:
        What the class or function returns; of a class that mmengine keeps one instance of by name
        (a `ManagerMixin`), that instance.
    """
    if not isinstance(cfg, Mapping):
        return brickwork_registry.build_from_cfg(cfg, registry, default_args)  # says what is wrong
    with _switched(registry, cfg.get("_scope_")) as scoped:
        if "_scope_" in cfg:
            cfg = {key: value for key, value in cfg.items() if key != "_scope_"}
        return brickwork_registry.build_from_cfg(_managed(cfg, scoped), scoped, default_args)


def _managed(
    cfg: Mapping[str, Any], registry: brickwork_registry.Registry[Any]
) -> Mapping[str, Any]:
    """Let a class of which mmengine keeps instances by name be asked for one."""
    manager = sys.modules.get("mmengine.utils.manager")  # there are no such classes without it
    if manager is None or "type" not in cfg:
        return cfg
    kind = cfg["type"]
    target: Any = registry.get(kind) if isinstance(kind, str) else kind
    managed = isinstance(target, type) and issubclass(target, manager.ManagerMixin)
    if not managed:
        return cfg
    return {**cfg, "type": target.get_instance}


def build_model_from_cfg(
    cfg: Any,
    registry: brickwork_registry.Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Build a model from a config, or a `Sequential` from a list of them.

    Args:
        cfg: The config or the list.
        registry: As for `build_from_cfg`.
        default_args: As for `build_from_cfg`.

    Returns:
        The model.
    """
    if isinstance(cfg, list):
        return Sequential(*(build_from_cfg(one, registry, default_args) for one in cfg))
    return build_from_cfg(cfg, registry, default_args)


def build_runner_from_cfg(
    cfg: Mapping[str, Any], registry: brickwork_registry.Registry[Any]
) -> Any:
    """Make a runner by its class's `from_cfg`.

    Args:
        cfg: The config of a whole run; `runner_type` names the class, `Runner` by default.
        registry: A registry of runners.

    Returns:
        The runner.
    """
    options = dict(cfg) if type(cfg) is dict else cfg.copy()  # type: ignore[attr-defined]  # a Config
    with _switched(registry, options.pop("_scope_", None)) as scoped:
        return scoped.resolve(options.get("runner_type", "Runner")).from_cfg(options)


def build_scheduler_from_cfg(
    cfg: Mapping[str, Any],
    registry: brickwork_registry.Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any:
    """Make a scheduler of an optimizer's parameters.

    Args:
        cfg: The config; with `convert_to_iter_based`, what it says in epochs of `epoch_length`
            iterations is turned into iterations.
        registry: A registry of schedulers.
        default_args: As for `build_from_cfg`.

    Returns:
        The scheduler.
    """
    options = {**(default_args or {}), **cfg}
    with _switched(registry, options.pop("_scope_", None)) as scoped:
        if options.pop("convert_to_iter_based", False):
            return scoped.resolve(options.pop("type")).build_iter_from_epoch(**options)
        options.pop("epoch_length", None)
        return build_from_cfg(options, scoped)


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
_BRICKS: tuple[brickwork_registry.Registry[Any], ...] = (
    *(CONV_LAYERS, NORM_LAYERS, ACTIVATION_LAYERS, PADDING_LAYERS, UPSAMPLE_LAYERS),
    *(DROPOUT_LAYERS, PLUGIN_LAYERS, ATTENTION, FEEDFORWARD_NETWORK, POSITIONAL_ENCODING),
    *(TRANSFORMER_LAYER, TRANSFORMER_LAYER_SEQUENCE),
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


def _asking(registry: brickwork_registry.Registry[Any], root: Registry) -> None:
    """Let a registry of ours ask mmengine's tree, in the default scope, before itself.

    So `build_norm_layer(dict(type=...))` finds what downstream code registered in `MODELS`, where
    mmcv 2.x looks for all its layers. The registry stays the object that it is, as everybody who
    builds layers holds it; its class becomes one that differs in `resolve`.
    """

    class Asking(type(registry)):  # type: ignore[misc]  # whichever it is
        def resolve(self, kind: object) -> Any:
            if isinstance(kind, str):
                with root.switch_scope_and_registry(None) as scoped:
                    found = scoped.in_tree(kind) or self.get(kind) or scoped.get(kind)
                if found is not None:
                    return found
            try:
                return super().resolve(kind)
            except brickwork_registry.errors.NotRegisteredError as error:
                scopes = [
                    repr(s) for s, child in root.children.items() if kind in child.module_dict
                ]
                if scopes:
                    error.add_note(
                        f"{kind!r} is registered in the scope {' and '.join(scopes)}: make it the"
                        " default by mmengine.registry.init_default_scope, or write it in front"
                    )
                raise

    Asking.__name__, Asking.__qualname__ = type(registry).__name__, type(registry).__qualname__
    registry.__class__ = Asking


for _registry in _BRICKS:
    _asking(_registry, MODELS)
_asking(INITIALIZERS, WEIGHT_INITIALIZERS)

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
    "build_runner_from_cfg",
    "build_scheduler_from_cfg",
]
