"""A registry as mmengine has them.

A child asks its parent for what it does not have, and imports its `locations` before it does; a
scope can be the default one. So are mmengine's, and `brickwork_registry`'s are not.
"""

import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import brickwork_registry

from .build_functions import build_from_cfg

__all__ = ["Registry"]


def _default_scope() -> Any:
    """Return the class that knows the default scope: mmengine's own where it is installed."""
    try:
        return importlib.import_module("mmengine.registry.default_scope").DefaultScope
    except ImportError:  # no mmengine, and ours is not installed in its place
        return importlib.import_module(
            "brickwork.compat.mmengine.registry.default_scope"
        ).DefaultScope


def _import_if_there(module: str) -> None:
    """Import a module, for what it registers, unless there is none."""
    package = module.partition(".")[0]
    try:
        there = importlib.util.find_spec(module)
    except ModuleNotFoundError as error:
        if error.name != package:  # it is there, and lacks something: for the user to see
            raise
        return
    if there:
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
