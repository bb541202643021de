"""Registries of ours that ask mmengine's before themselves."""

from typing import Any

import brickwork_registry

from .registry import Registry

_ASKING: list[tuple[brickwork_registry.Registry[Any], type]] = []  # and the class of each before


def ask(registry: brickwork_registry.Registry[Any], root: Registry) -> None:
    """Let a registry of ours ask mmengine's tree, in the default scope, before itself.

    So `build_norm_layer(dict(type=...))` finds what downstream code registered in `MODELS`, where
    mmcv 2.x looks for all its layers. The registry stays the object that it is, as everybody who
    builds layers holds it; its class becomes one that differs in `resolve`.

    Args:
        registry: The registry of ours.
        root: The root of mmengine's tree.
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
    _ASKING.append((registry, type(registry)))
    registry.__class__ = Asking


def ask_no_longer() -> None:
    """Give every registry of ours its own class back."""
    while _ASKING:
        registry, kind = _ASKING.pop()
        registry.__class__ = kind
