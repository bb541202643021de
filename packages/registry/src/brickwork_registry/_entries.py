"""The entries of a registry: names on one side, classes and functions on the other."""

from __future__ import annotations

from weakref import WeakSet

from ._describe import describe
from ._factories import is_factory, wrong_type
from ._override import Override, lock
from ._typing import TYPE_CHECKING, Generic, TypeVar
from .errors import AlreadyRegisteredError, InvalidConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Self, overload

    F = TypeVar("F", bound=Callable[..., Any])

T = TypeVar("T")

# Every registry alive, so that a miss can say which other registry has the name.
REGISTRIES: WeakSet[Any] = WeakSet()


class Entries(Generic[T]):
    """What a registry knows: its entries, its place in a tree of scopes, and how to find a name.

    Args:
        name: What the entries are.
        parent: The registry to become a child of.
        scope: The name by which others of the tree address this one.

    Raises:
        InvalidConfigError: If `parent` is no registry (a `TypeError`).
        AlreadyRegisteredError: If the parent has a child of this scope (a `KeyError`).
    """

    def __init__(self, name: str, parent: Self | None, scope: str) -> None:
        if not (parent is None or isinstance(parent, Entries)):
            raise InvalidConfigError("parent", "a Registry or None", repr(parent))
        self._name = name
        self._scope = scope
        self._module_dict: dict[str, T] = {}
        self._children: dict[str, Self] = {}
        self.parent = parent
        if parent is not None:
            parent._add_children(self)
        REGISTRIES.add(self)

    @property
    def name(self) -> str:
        """What the entries are."""
        return self._name

    @property
    def scope(self) -> str:
        """The name of this registry among those of its tree."""
        return self._scope

    @property
    def module_dict(self) -> dict[str, T]:
        """The entries by name, in the order of their registration."""
        return self._module_dict

    @property
    def children(self) -> dict[str, Self]:
        """The registries below this one, by scope."""
        return self._children

    @property
    def entry_point_group(self) -> str:
        """The group of entry points through which installed packages add to this registry."""
        slug = "".join(letter if letter.isalnum() else "_" for letter in self._name)
        return f"brickwork.{slug}"

    def __len__(self) -> int:
        return len(self._module_dict)

    def __bool__(self) -> bool:
        return True  # an empty registry is a registry all the same

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._module_dict)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self._name}, items={self._module_dict})"

    def __str__(self) -> str:
        from ._table import render  # for people to read, not part of any program's start

        return render(self)

    @staticmethod
    def split_scope_key(key: str) -> tuple[str | None, str]:
        """Split the first scope off a key.

        Args:
            key: ``'mmdet.ResNet'`` or ``'ResNet'``.

        Returns:
            The scope, None if there is none, and the rest: ``('mmdet', 'ResNet')`` or
            ``(None, 'ResNet')``.
        """
        scope, dot, rest = key.partition(".")
        return (scope, rest) if dot else (None, key)

    def get(self, key: str) -> T | None:
        """Look an entry up.

        Args:
            key: A name, with a scope in front for another registry of the tree. A child does
                not fall back to its parent's entries: their keys carry the parent's scope.

        Returns:
            The registered object; None if there is none.

        Raises:
            InvalidConfigError: If `key` is no string (a `TypeError`).
            EntryPointError: If an installed package offers the name but fails to import.
        """
        try:
            found = self._module_dict.get(key)
        except TypeError:  # an unhashable key
            found = None
        return self._find(key) if found is None else found

    def resolve(self, kind: object) -> T:
        """Turn the ``type`` of a config into the object to call.

        Args:
            kind: A name as for `get`, an import path ``'package.module:Class'``, or the class,
                function or `functools.partial` itself.

        Returns:
            The object.

        Raises:
            NotRegisteredError: If nothing has that name (a `KeyError`); its subclasses
                `EntryPointError`, `ImportPathError` if something has but does not import.
            InvalidConfigError: If `kind` is anything else (a `TypeError`).
        """
        if isinstance(kind, str):
            found = self._module_dict.get(kind)
            if found is None:
                found = self._find(kind)
            if found is None:
                from ._missing import last_resort  # only once a name is missing

                found = last_resort(self, kind)
            return found
        if is_factory(kind):
            return kind  # type: ignore[return-value]  # the caller's own choice
        raise wrong_type(kind)

    def locate(self, key: str) -> tuple[Self, str] | None:
        """Follow the scopes of a key.

        Args:
            key: A name with any number of scopes in front.

        Returns:
            The registry of the tree that would hold the entry, and the bare name; None if the
            tree has no registry of that scope.
        """
        scope, dot, rest = key.partition(".")
        if not dot:
            return self, key
        if scope == self._scope:
            return self.locate(rest)
        child = self._children.get(scope)
        if child is not None:
            return child.locate(rest)
        root = self
        while root.parent is not None:
            root = root.parent
        return None if root is self else root.locate(key)

    def _find(self, key: str) -> Any:
        """Look an entry up that is not under this very key: in another scope, or offered."""
        if not isinstance(key, str):
            raise InvalidConfigError("the key of an entry", "a str", describe(key))
        place = self.locate(key)
        if place is None:
            return None
        owner, name = place
        found = owner._module_dict.get(name)
        if found is None and ":" not in name:
            from ._entry_points import load  # importlib.metadata, only once a name is missing

            found = load(owner, name)
        return found

    if TYPE_CHECKING:

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
        """Register a class or a function, as a decorator or by a call.

        Registering the same object under its name again does nothing.

        Args:
            name: The name or names. Default: the object's own. As a bare decorator
                (``@MODELS.register_module``), the object.
            force: Take the name even if another object has it.
            module: The object. Without one, a decorator is returned.

        Returns:
            `module`, or the decorator.

        Raises:
            AlreadyRegisteredError: If another object has one of the names (a `KeyError`); then
                none of the names is registered.
            InvalidConfigError: If an argument is of the wrong type (a `TypeError`).

        Example:
            >>> ACTS = Registry('activation')
            >>> @ACTS.register_module(['Clip', 'Clamp'])
            ... class Clamp: ...
            >>> @ACTS.register_module
            ... class Tanh: ...
            >>> list(ACTS)
            ['Clip', 'Clamp', 'Tanh']
        """
        if not isinstance(force, bool):
            raise InvalidConfigError("force", "a bool", describe(force))
        if module is None and is_factory(name):
            name, module = None, name
        names = [name] if isinstance(name, str) else name
        if not (
            names is None
            or (isinstance(names, list | tuple) and all(isinstance(one, str) for one in names))
        ):
            raise InvalidConfigError("name", "a str, a sequence of str or None", describe(name))
        if module is not None:
            self._register_module(module, names, force)
            return module

        def register(module: F) -> F:
            self._register_module(module, names, force)
            return module

        return register

    def override(self, **entries: Any) -> Override:
        """Replace or add entries for the length of a ``with`` block.

        Args:
            **entries: Objects (or anything that `resolve` takes) by name.

        Returns:
            The context manager; it gives the registry. It works on the registry itself, so
            every thread sees it.

        Example:
            >>> with MODELS.override(ResNet=dict):
            ...     MODELS.build(dict(type='ResNet', depth=18))
            {'depth': 18}
        """
        return Override(self, {name: self.resolve(kind) for name, kind in entries.items()})

    def _register_module(self, module: Any, module_name: Any = None, force: bool = False) -> None:
        if not is_factory(module):
            raise InvalidConfigError("module", "a class, a function or a partial", describe(module))
        if module_name is None:
            name = getattr(module, "__name__", None)
            if name is None:
                raise InvalidConfigError("name", "given, as a partial has none", "None")
            module_name = [name]
        names = [module_name] if isinstance(module_name, str) else module_name
        with lock:
            taken = None
            if not force:
                for name in names:
                    present = self._module_dict.get(name)
                    if present is not None and present is not module:
                        taken = name, present
                        break
            if taken is None:
                self._module_dict.update(dict.fromkeys(names, module))
        if taken is not None:
            from ._describe import origin  # reads source files, only once a name is taken

            raise AlreadyRegisteredError(
                taken[0],
                self._name,
                origin(taken[1]),
                origin(module),
                "choose another name, or pass force=True to replace it",
            )

    def _add_children(self, registry: Self) -> None:
        with lock:
            present = self._children.setdefault(registry.scope, registry)
        if present is not registry:
            raise AlreadyRegisteredError(
                registry.scope,
                self._name,
                f"a child registry of this scope, {present.name!r}",
                f"{registry.name!r}",
                "give the new registry a `scope` of its own",
            )
