"""The registry, and building from a config."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from threading import Lock
from types import MethodType
from typing import Any, Generic, Self, TypeVar, overload
from weakref import WeakSet

from ._describe import describe
from ._factories import invalid_type, is_factory
from ._override import Override
from .errors import (
    AlreadyRegisteredError,
    ImportPathError,
    InvalidConfigError,
    NotRegisteredError,
    RegistryError,
)

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M")
T = TypeVar("T")

# All live registries, so that an error can name the one that has the missing name.
REGISTRIES: WeakSet[Registry[Any]] = WeakSet()

# Makes a lookup and the change that depends on it one step. It is shared by all registries, so
# that they can be copied and pickled, and is only held for a few dict operations.
_lock = Lock()


@overload
def build_from_cfg(
    cfg: Mapping[str, Any],
    registry: Registry[type[M]],
    default_args: Mapping[str, Any] | None = None,
) -> M: ...
@overload
def build_from_cfg(
    cfg: Mapping[str, Any],
    registry: Registry[Callable[..., M]],
    default_args: Mapping[str, Any] | None = None,
) -> M: ...
@overload
def build_from_cfg(
    cfg: Mapping[str, Any],
    registry: Registry[Any],
    default_args: Mapping[str, Any] | None = None,
) -> Any: ...
def build_from_cfg(
    cfg: Mapping[str, Any], registry: Registry[Any], default_args: Mapping[str, Any] | None = None
) -> Any:
    """Build an object from its config.

    Args:
        cfg: ``type`` says what to call: a registered name (``'mmdet.ResNet'`` for another
            scope), an import path ``'package.module:Class'``, a class, a function or a
            `functools.partial`. The other keys are its keyword arguments. Not modified.
        registry: The registry that ``type`` is looked up in.
        default_args: Values, including ``type``, for keys that `cfg` does not have.

    Returns:
        What the class or function returns.

    Raises:
        MissingTypeError: If there is no ``type`` (a `KeyError`).
        NotRegisteredError: If ``type`` is not registered (a `KeyError`).
        InvalidConfigError: If an argument has the wrong type (a `TypeError`).
        Exception: An exception of the class or function propagates as it is, with a note about
            the class, the registry and the config path, see `note_failure`.

    Example:
        >>> from brickwork_registry import Registry, build_from_cfg
        >>> build_from_cfg(dict(type=complex, real=1), Registry('number'), dict(imag=2))
        (1+2j)
    """
    # Arguments are validated only after a failure: validating them first would slow down every
    # successful build.
    target = None
    try:
        args = {**cfg} if default_args is None else {**default_args, **cfg}
        target = registry.resolve(args.pop("type"))
        return target(**args)
    except Exception as error:
        invalid = None
        if target is None and not isinstance(error, RegistryError):
            invalid = _invalid_argument(cfg, registry, default_args)
        if isinstance(registry, Registry) and isinstance(cfg, Mapping):
            merged = {**default_args, **cfg} if isinstance(default_args, Mapping) else cfg
            # Enclosing builds compare configs by identity: pass the original if possible.
            config = cfg if len(merged) == len(cfg) else merged
            note_failure(invalid or error, registry, config, target)
        if invalid is not None:
            raise invalid from None
        raise


def note_failure(
    error: BaseException,
    registry: Registry[Any],
    cfg: Mapping[str, Any],
    target: Any = None,
    argument_names: Iterable[str] | None = None,
) -> None:
    """Record on an exception what was being built, for builders that do not use `build_from_cfg`.

    Call it in the ``except`` block, then ``raise``. The exception gets the attribute
    ``build_trace``, a list of strings, innermost build first, which a traceback also shows as a
    note. Each enclosing build puts its part of the config path in front:
    ``'building models.Stem from the registry 'models' (scope 'mine'), at config path
    backbone.stem'``.

    Args:
        error: The exception.
        registry: The registry that was built from.
        cfg: The config.
        target: The class or function; None if ``type`` could not be resolved.
        argument_names: Names of the keyword arguments passed to `target`. Default: the keys of
            `cfg` except ``type``.

    Example:
        >>> def build_layer(cfg, *args):
        ...     kwargs = {**cfg}
        ...     layer = LAYERS.resolve(kwargs.pop('type'))
        ...     try:
        ...         return layer(*args, **kwargs)
        ...     except Exception as error:
        ...         note_failure(error, LAYERS, cfg, layer, kwargs)
        ...         raise
    """
    from ._build_trace import add_build  # imports difflib and inspect, only after a failure

    names = [key for key in cfg if key != "type"] if argument_names is None else argument_names
    add_build(error, registry.name, registry.scope, registry.module_dict, cfg, target, names)


class Registry(Generic[T]):
    """A mapping from names to classes or functions that objects can be built from.

    Registries can form a tree: a child holds the entries of one package (its scope), and every
    registry of the tree reaches them as ``'scope.Name'``.

    Installed packages can add entries without being imported, through entry points in the group
    ``brickwork.<registry name>``, where ``_`` replaces characters that are not alphanumeric. They
    are consulted when a name is missing, and only then.

    Args:
        name: What the entries are, for example ``'conv layer'``.
        build_func: Function that `build` calls as ``build_func(*args, **kwargs, registry=self)``.
            Default: that of the parent, or `build_from_cfg`.
        parent: Registry to become a child of.
        scope: Name by which other registries of the tree address this one. Default: the
            top-level package of the caller.

    Raises:
        InvalidConfigError: If `parent` is not a registry (a `TypeError`).
        AlreadyRegisteredError: If the parent has a child with this scope (a `KeyError`).

    Example:
        >>> MODELS = Registry('models')
        >>> @MODELS.register_module()
        ... class ResNet:
        ...     def __init__(self, depth):
        ...         self.depth = depth
        >>> MODELS.build(dict(type='ResNet', depth=50)).depth
        50
    """

    def __init__(
        self,
        name: str,
        build_func: Callable[..., Any] | None = None,
        parent: Registry[Any] | None = None,
        scope: str | None = None,
    ) -> None:
        if not (parent is None or isinstance(parent, Registry)):
            raise InvalidConfigError("parent", "a Registry or None", describe(parent))
        if build_func is None:
            build_func = build_from_cfg if parent is None else parent.build_func
        self.build_func: Callable[..., Any] = build_func
        self.parent = parent
        self._name = name
        self._scope = self.infer_scope() if scope is None else scope
        self._module_dict: dict[str, T] = {}
        self._defaults: dict[str, T] = {}
        self._children: dict[str, Self] = {}
        self._providers: dict[str, tuple[str, str]] = {}
        if parent is not None:
            parent._add_children(self)
        REGISTRIES.add(self)

    @staticmethod
    def infer_scope() -> str:
        """Infer the scope of a registry from the module that creates it.

        Returns:
            The top-level package of the caller's caller.
        """
        frame = sys._getframe(2)
        while frame.f_globals.get("__name__") == "typing" and frame.f_back is not None:
            frame = frame.f_back  # a call of the alias `Registry[...]`
        module: str = frame.f_globals.get("__name__", "__main__")
        return module.partition(".")[0]

    @staticmethod
    def split_scope_key(key: str) -> tuple[str | None, str]:
        """Split the first scope off a key.

        Args:
            key: ``'mmdet.ResNet'`` or ``'ResNet'``.

        Returns:
            The scope, or None, and the rest: ``('mmdet', 'ResNet')`` or ``(None, 'ResNet')``.
        """
        scope, dot, rest = key.partition(".")
        return (scope, rest) if dot else (None, key)

    @property
    def name(self) -> str:
        """Description of the entries, such as ``'conv layer'``."""
        return self._name

    @property
    def scope(self) -> str:
        """Name by which other registries of the tree address this one."""
        return self._scope

    @property
    def module_dict(self) -> dict[str, T]:
        """The registered entries by name, without overridable defaults."""
        return self._module_dict

    @property
    def children(self) -> dict[str, Self]:
        """The direct children by scope."""
        return self._children

    @property
    def entry_point_group(self) -> str:
        """Group of the entry points through which installed packages add entries."""
        slug = "".join(letter if letter.isalnum() else "_" for letter in self._name)
        return f"brickwork.{slug}"

    def __len__(self) -> int:
        return len(self._all_entries())

    def __bool__(self) -> bool:
        return True  # `if registry` asks whether there is one, not whether it has entries

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._all_entries())

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name}, items={self._module_dict})"

    def __str__(self) -> str:
        from ._table import render_table  # rarely needed

        children = {scope: len(child) for scope, child in self._children.items()}
        return render_table(self._name, self._scope, self._all_entries(), children)

    def get(self, key: str) -> T | None:
        """Return the entry of a name.

        Args:
            key: A name, with a scope in front for another registry of the tree. A child does
                not inherit the entries of its parent; use the parent's scope for them.

        Returns:
            The entry, or None.

        Raises:
            InvalidConfigError: If `key` is not a string (a `TypeError`).
            EntryPointError: If an installed package offers the name but fails to import (a
                `KeyError`).
        """
        if not isinstance(key, str):
            raise InvalidConfigError("key", "a str", describe(key))
        entry = self._module_dict.get(key)
        return self._search(key) if entry is None else entry

    def resolve(self, kind: object) -> T:
        """Return the class or function that the ``type`` of a config refers to.

        Args:
            kind: A name as for `get`, an import path ``'package.module:Class'``, or a class,
                function or `functools.partial`, which is returned as it is.

        Returns:
            The class or function.

        Raises:
            NotRegisteredError: If the name is not registered (a `KeyError`); its subclasses
                `EntryPointError` and `ImportPathError` if importing it fails.
            InvalidConfigError: If `kind` is of another type (a `TypeError`).
        """
        if isinstance(kind, str):
            entry = self._module_dict.get(kind)
            if entry is None:
                entry = self._search(kind)
            if entry is None:
                entry = self._last_resort(kind)
            return entry
        if is_factory(kind):
            return kind  # type: ignore[return-value]  # the caller's choice
        raise invalid_type(kind)

    def locate(self, key: str) -> tuple[Registry[Any], str] | None:
        """Follow the scopes of a key.

        Args:
            key: A name with any number of scopes in front.

        Returns:
            The registry that would have the entry, and the name without scopes; None if the tree
            has no registry of that scope.
        """
        scope, dot, rest = key.partition(".")
        if not dot:
            return self, key
        if scope == self._scope:
            return self.locate(rest)
        child = self._children.get(scope)
        if child is not None:
            return child.locate(rest)
        root = self._root()
        return None if root is self else root.locate(key)

    @overload
    def build(self: Registry[type[M]], *args: Any, **kwargs: Any) -> M: ...
    @overload
    def build(self: Registry[Callable[..., M]], *args: Any, **kwargs: Any) -> M: ...
    @overload
    def build(self, *args: Any, **kwargs: Any) -> Any: ...
    def build(self, *args: Any, **kwargs: Any) -> Any:
        """Build an object: call `build_func` with these arguments and ``registry=self``.

        Args:
            *args: The config.
            **kwargs: Options of `build_func`, such as ``default_args``.

        Returns:
            What `build_func` returns.
        """
        return self.build_func(*args, **kwargs, registry=self)

    @overload
    def register_module(self, name: F) -> F: ...
    @overload
    def register_module(
        self, name: str | list[str] | tuple[str, ...] | None = None, force: bool = False
    ) -> Callable[[F], F]: ...
    @overload
    def register_module(
        self,
        name: str | list[str] | tuple[str, ...] | None = None,
        force: bool = False,
        *,
        module: F,
    ) -> F: ...
    def register_module(self, name: Any = None, force: bool = False, module: Any = None) -> Any:
        """Register a class or function, as a decorator or by a call.

        Args:
            name: The name or names. Default: the object's ``__name__``. An object is accepted
                with a warning, see `deprecated_register_module`.
            force: Whether to replace another object of that name.
            module: The object. If None, a decorator is returned.

        Returns:
            `module`, or the decorator.

        Raises:
            AlreadyRegisteredError: If another object has one of the names (a `KeyError`); then
                none of the names is registered.
            InvalidConfigError: If an argument has the wrong type (a `TypeError`).

        Example:
            >>> ACTS = Registry('activation')
            >>> @ACTS.register_module(['Clip', 'Clamp'])
            ... class Clamp: ...
            >>> list(ACTS)
            ['Clip', 'Clamp']
        """
        if not isinstance(force, bool):
            raise InvalidConfigError("force", "a bool", describe(force))
        if module is None and is_factory(name):
            return self.deprecated_register_module(name, force)
        names = [name] if isinstance(name, str) else name
        if not (
            names is None
            or (isinstance(names, list | tuple) and all(isinstance(item, str) for item in names))
        ):
            raise InvalidConfigError("name", "a str, a sequence of str or None", describe(name))
        if module is not None:
            self._register_module(module, names, force)
            return module

        def register(module: F) -> F:
            self._register_module(module, names, force)
            return module

        return register

    def register_default(self, name: str, module: Any) -> None:
        """Register an overridable default: an entry that any other object of its name replaces.

        Lookups find it, but it is not in `module_dict`, and another object can be registered under
        its name without ``force``.

        Args:
            name: The name.
            module: The class or function.
        """
        self._defaults[name] = module

    def deprecated_register_module(self, cls: Any = None, force: bool = False) -> Any:
        """Register a class or function by the deprecated API of mmcv, with a DeprecationWarning.

        Args:
            cls: The class or function. If None, a decorator is returned.
            force: Whether to replace an object of that name.

        Returns:
            `cls`, or the decorator.
        """
        warnings.warn(
            "register_module(cls, force) and @register_module without parentheses are deprecated, "
            "use register_module(name, force, module) or @register_module()",
            DeprecationWarning,
            stacklevel=3,
        )
        return self.register_module(force=force, module=cls)

    def override(self, **entries: Any) -> Override[Self]:
        """Replace or add entries inside a ``with`` block.

        Args:
            **entries: By name, anything that `resolve` accepts.

        Returns:
            A context manager that returns the registry. All threads see the change.

        Example:
            >>> with MODELS.override(ResNet=dict):
            ...     MODELS.build(dict(type='ResNet', depth=18))
            {'depth': 18}
        """
        replacements = {name: self.resolve(kind) for name, kind in entries.items()}
        return Override(self, self._module_dict, replacements, _lock)

    def declare_provider(self, names: Iterable[str], *, distribution: str, module: str) -> None:
        """Declare which distribution provides names that this registry may lack.

        The error for such a name says what to install, or to import if it is installed. This
        is also useful for a package with entry points, as long as it is not installed.

        Args:
            names: The names.
            distribution: What to install, for example ``'brickwork-zoo[torch]'``.
            module: The module whose import registers the names.

        Example:
            >>> MODELS.declare_provider(['ViT'], distribution='vit-models', module='vit_models')
            >>> MODELS.build(dict(type='ViT'))
            Traceback (most recent call last):
            ...
            brickwork_registry.errors.NotRegisteredError: 'ViT' is not in the 'models' registry ...
        """
        self._providers.update(dict.fromkeys(names, (distribution, module)))

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        if not is_factory(module) or isinstance(module, MethodType):
            raise InvalidConfigError(
                "module", "a class, a function or a functools.partial", describe(module)
            )
        if module_name is None:
            module_name = getattr(module, "__name__", None)
            if module_name is None:
                raise InvalidConfigError("name", "a str, because a partial has no name", "None")
        names = [module_name] if isinstance(module_name, str) else module_name
        with _lock:
            taken = [name for name in names if name in self._module_dict and not force]
            if not taken:
                self._module_dict.update(dict.fromkeys(names, module))
        if taken:
            from ._describe import origin  # reads source files

            raise AlreadyRegisteredError(
                taken[0],
                self._name,
                origin(self._module_dict[taken[0]]),
                origin(module),
                "choose another name, or pass force=True to replace it",
            )

    def _all_entries(self) -> dict[str, T]:
        """Return the registered entries and the defaults that are not overridden."""
        defaults = {k: v for k, v in self._defaults.items() if k not in self._module_dict}
        return {**self._module_dict, **defaults}

    def _add_children(self, registry: Self) -> None:
        with _lock:
            present = self._children.setdefault(registry.scope, registry)
        if present is not registry:
            raise AlreadyRegisteredError(
                registry.scope,
                self._name,
                f"the child registry {present.name!r} of this scope",
                f"the child registry {registry.name!r}",
                "pass a different `scope` to the new registry",
            )

    def _root(self) -> Registry[Any]:
        root: Registry[Any] = self
        while root.parent is not None:
            root = root.parent
        return root

    def _tree(self) -> list[Registry[Any]]:
        """Return all registries of the tree, the root first."""
        tree = [self._root()]
        for registry in tree:  # grows during the loop
            tree.extend(registry.children.values())
        return tree

    def _full_key(self, name: str) -> str:
        """Return the key that reaches an entry of this registry from anywhere in the tree."""
        if self.parent is None or self.parent.parent is None:
            return f"{self._scope}.{name}"
        return self.parent._full_key(f"{self._scope}.{name}")

    def _search(self, key: str) -> Any:
        """Return an entry of another scope, a default or the object of an entry point, or None."""
        location = self.locate(key)
        if location is None:
            return None
        owner, name = location
        entry = owner._module_dict.get(name, owner._defaults.get(name))
        if entry is None and ":" not in name:
            entry = owner._load_entry_point(name)
        return entry

    def _load_entry_point(self, name: str, *, refresh: bool = False) -> Any:
        """Import and register the entry point of a name; None if no package offers it."""
        from ._entry_points import find_entry_point, load  # importlib.metadata is slow to import

        entry_point = find_entry_point(self.entry_point_group, name, refresh=refresh)
        if entry_point is None:
            return None
        target = load(entry_point, self._name, self._scope)
        if name not in self._module_dict:  # else the import registered it
            self.register_module(name, module=target)
        return self._module_dict[name]

    def _last_resort(self, key: str) -> Any:
        """Import an import path or the entry of a newly installed package, or raise an error."""
        if ":" in key:
            from ._import_path import import_path  # for difflib

            try:
                return import_path(key)
            except Exception as error:
                raise ImportPathError(
                    key, self._name, self._scope, f"{type(error).__name__}: {error}"
                ) from error
        location = self.locate(key)
        if location is not None:
            owner, name = location
            entry = owner._load_entry_point(name, refresh=True)
            if entry is not None:
                return entry
        raise NotRegisteredError(key, self._name, self._scope, self._missing_hint(key))

    def _missing_hint(self, key: str) -> str:
        """Return hints for the error about a missing name."""
        from ._entry_points import offered_names
        from ._missing import names_hint, provider_hint, unknown_scope_hint

        location = self.locate(key)
        tree = self._tree()
        hints = []
        if location is None:
            owner: Registry[Any] = self
            scope, _, name = key.rpartition(".")
            hints.append(unknown_scope_hint(scope, {registry.scope for registry in tree}))
        else:
            owner, name = location
        if name in owner._providers:
            hints.append(provider_hint(*owner._providers[name]))
        keys = [r._full_key(name) for r in tree if r is not self and name in r._all_entries()]
        hints += [f"another scope has it: write {key!r}" for key in keys]
        if not keys:
            others = {r.name for r in REGISTRIES if r not in tree and name in r._all_entries()}
            hints += [
                f"the registry {other!r} has an entry of that name" for other in sorted(others)
            ]
        if not hints:
            hints.append(names_hint(name, [*owner, *offered_names(owner.entry_point_group)]))
        return "; ".join(hints)


def _invalid_argument(cfg: Any, registry: Any, default_args: Any) -> RegistryError | None:
    """Return the error for an invalid argument of `build_from_cfg`, if there is one."""
    if not isinstance(cfg, Mapping):
        return InvalidConfigError("cfg", "a dict", describe(cfg))
    if not isinstance(registry, Registry):
        return InvalidConfigError("registry", "a brickwork_registry.Registry", describe(registry))
    if not (default_args is None or isinstance(default_args, Mapping)):
        return InvalidConfigError("default_args", "a dict or None", describe(default_args))
    if "type" not in cfg and "type" not in (default_args or {}):
        from ._missing import missing_type_error  # imports difflib

        return missing_type_error(registry.name, cfg, default_args)
    return None
