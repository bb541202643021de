"""Our registries and those of mmengine, where mmcv 2.x has only mmengine's.

Our layers are registered in `MODELS`, so that downstream registries, which are its children, build
them. In the other direction our builders (`build_norm_layer`, `ConvModule`, ...) look into `MODELS`
first, in the default scope: packages register their own layers there.
"""

from typing import Any

import brickwork_registry
from brickwork_init import INITIALIZERS
from mmengine.registry import (  # type: ignore[import-untyped]  # it has no types
    MODELS,
    WEIGHT_INITIALIZERS,
)

from brickwork.cnn.bricks import registry as bricks

_LAYERS: list[brickwork_registry.Registry[Any]] = [getattr(bricks, name) for name in bricks.__all__]
_OPERATORS = (
    "DCN",
    "DCNv2",
    "SAC",
    "carafe",
    "MMSyncBN",
    "CrissCrossAttention",
    "MultiScaleDeformableAttention",
)  # entry points of brickwork-ops
_CLASSES: list[tuple[brickwork_registry.Registry[Any], type]] = []  # of those that are connected


def connect() -> None:
    """Register our layers in `MODELS`, and let our builders look into mmengine's registries."""
    if _CLASSES:
        return
    for registry in _LAYERS:
        for name in registry:
            if name not in MODELS.module_dict:
                MODELS.register_module(name, module=registry.get(name))
        _look_into(registry, MODELS, first=True)
    _look_into(INITIALIZERS, WEIGHT_INITIALIZERS, first=False)


def register_operators() -> None:
    """Register the layers of brickwork-ops in `MODELS`."""
    for name in _OPERATORS:
        layer = next(filter(None, (registry.get(name) for registry in _LAYERS)), None)
        if layer is not None and name not in MODELS.module_dict:
            MODELS.register_module(name, module=layer)


def disconnect() -> None:
    """Let our builders look into our registries alone."""
    while _CLASSES:
        registry, kind = _CLASSES.pop()
        registry.__class__ = kind


def _look_into(registry: brickwork_registry.Registry[Any], root: Any, *, first: bool) -> None:
    """Let a registry of ours resolve names in a tree of mmengine's, in the default scope.

    The registry stays the object that everybody holds; its class becomes one whose `resolve` looks
    there, too.

    Args:
        registry: The registry of ours.
        root: The root of mmengine's tree.
        first: Whether mmengine's tree comes before the registry's own entries.
    """

    class Connected(type(registry)):  # type: ignore[misc]  # whichever it is
        def resolve(self, kind: object) -> Any:
            if isinstance(kind, str):
                own = None if first else self.get(kind)
                with root.switch_scope_and_registry(None) as scoped:
                    value = own or scoped.get(kind)
                if value is not None:
                    return value
            try:
                return super().resolve(kind)
            except brickwork_registry.errors.NotRegisteredError as error:
                scopes = [
                    repr(scope)
                    for scope, child in root.children.items()
                    if kind in child.module_dict
                ]
                if scopes:
                    error.add_note(
                        f"{kind!r} is registered in the scope {' and '.join(scopes)}: make it the"
                        " default by mmengine.registry.init_default_scope, or write it in front"
                    )
                raise

    Connected.__name__, Connected.__qualname__ = (
        type(registry).__name__,
        type(registry).__qualname__,
    )
    _CLASSES.append((registry, type(registry)))
    registry.__class__ = Connected
