"""The registry, and the one path that every build takes from a config to an object."""

from __future__ import annotations

import sys

from ._entries import Entries
from ._typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, overload

    M = TypeVar("M")

T = TypeVar("T")


if TYPE_CHECKING:

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
    """Build the object that a config describes.

    Args:
        cfg: ``type`` says what to call: the name of an entry (``'mmdet.ResNet'`` for one of
            another scope), an import path ``'package.module:Class'``, a class, a function or a
            `functools.partial`. The other keys are its arguments. Never changed.
        registry: Where to look the name up.
        default_args: Arguments, or the ``type``, for the keys that `cfg` lacks.

    Returns:
        What the class or function returns.

    Raises:
        MissingTypeError: If there is no ``type`` (a `KeyError`).
        NotRegisteredError: If nothing is known by that name (a `KeyError`).
        InvalidConfigError: If an argument is of the wrong kind (a `TypeError`).
        Exception: Whatever the class or function raises, as it is, with a note that names the
            class, the registry and the path of the config in the outermost one being built.

    Example:
        >>> from brickwork_registry import Registry, build_from_cfg
        >>> build_from_cfg(dict(type=complex, real=1), Registry('number'), dict(imag=2))
        (1+2j)
    """
    # Nothing is checked ahead: every check would be paid by each of a million right configs.
    # What is wrong with a wrong one is found out once something has failed.
    target = None
    try:
        args = {**cfg} if default_args is None else {**default_args, **cfg}
        target = registry.resolve(args.pop("type"))
        return target(**args)
    except Exception as error:
        from ._failures import explain  # difflib and inspect, only once something has failed

        explained = explain(error, target, cfg, registry, default_args)
        if explained is error:
            raise
        raise explained from None


class Registry(Entries[T]):
    """A map from names to classes or functions, and the way to build from it.

    Registries of one kind form a tree: a child holds the entries of one package (its scope),
    and is reached from every other registry of the tree by ``'scope.Name'``.

    A name that is not here is looked for among the entry points of the installed packages, in
    the group ``brickwork.<name of the registry>`` with ``_`` for each character that is no
    letter or digit, and only then: no package is imported before it is wanted.

    Args:
        name: What the entries are, for example ``'conv layer'``.
        build_func: Called as ``build_func(cfg, ..., registry=registry)`` by `build`. Default:
            that of the parent, `build_from_cfg` without one.
        parent: The registry to become a child of.
        scope: The name by which other registries of the tree address this one. Default: the
            top-level package of the caller.

    Raises:
        InvalidConfigError: If `parent` is no registry (a `TypeError`).
        AlreadyRegisteredError: If the parent has a child of this scope (a `KeyError`).

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
        super().__init__(name, parent, self.infer_scope() if scope is None else scope)
        if build_func is None:
            build_func = build_from_cfg if parent is None else parent.build_func
        self.build_func: Callable[..., Any] = build_func

    @staticmethod
    def infer_scope() -> str:
        """Tell the scope of a registry from where it is made.

        Returns:
            The top-level package of the caller's caller: of the code that makes the registry.
        """
        module: str = sys._getframe(2).f_globals.get("__name__", "__main__")
        return module.partition(".")[0]

    if TYPE_CHECKING:

        @overload
        def build(self: Registry[type[M]], *args: Any, **kwargs: Any) -> M: ...
        @overload
        def build(self: Registry[Callable[..., M]], *args: Any, **kwargs: Any) -> M: ...
        @overload
        def build(self, *args: Any, **kwargs: Any) -> Any: ...

    def build(self, *args: Any, **kwargs: Any) -> Any:
        """Build an object: `build_func` with these arguments and ``registry=self``.

        Args:
            *args: The config.
            **kwargs: Options of `build_func`: ``default_args`` for `build_from_cfg`.

        Returns:
            What `build_func` returns.
        """
        return self.build_func(*args, **kwargs, registry=self)
