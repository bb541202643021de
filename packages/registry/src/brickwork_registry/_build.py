"""From a config to an object: the one path that every build takes, kept short."""

from __future__ import annotations

from ._typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, overload

    from ._registry import Registry

M = TypeVar("M")


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
        kind = args.pop("type")
        target = registry._module_dict.get(kind)
        if target is None:
            target = registry.resolve(kind)
        return target(**args)
    except Exception as error:
        from ._failures import explain  # difflib and inspect, only once something has failed

        explained = explain(error, target, cfg, registry, default_args)
        if explained is error:
            raise
        raise explained from None
