"""The default scope, where no mmengine is installed: whose registry a build looks in first."""

import contextlib
from collections.abc import Iterator
from typing import ClassVar

__all__ = ["DefaultScope", "init_default_scope"]


class DefaultScope:
    """A scope that builds take for theirs; the one made last counts.

    Args:
        name: The name of the instance.
        scope_name: The scope.
    """

    _instance_dict: ClassVar[dict[str, "DefaultScope"]] = {}

    def __init__(self, name: str, scope_name: str) -> None:
        if not isinstance(scope_name, str):
            raise TypeError(f"scope_name must be a string, got {scope_name!r}")
        self.instance_name = name
        self.scope_name = scope_name

    @classmethod
    def get_instance(cls, name: str, scope_name: str | None = None) -> "DefaultScope":
        """Return the instance of a name, made if there is none."""
        if name not in cls._instance_dict:
            cls._instance_dict[name] = cls(name, scope_name)  # type: ignore[arg-type]  # it says so
        return cls._instance_dict[name]

    @classmethod
    def check_instance_created(cls, name: str) -> bool:
        """Tell whether there is an instance of a name."""
        return name in cls._instance_dict

    @classmethod
    def get_current_instance(cls) -> "DefaultScope | None":
        """Return the instance made last; None if there is none."""
        return next(reversed(cls._instance_dict.values()), None)

    @classmethod
    @contextlib.contextmanager
    def overwrite_default_scope(cls, scope_name: str | None) -> Iterator[None]:
        """Take another scope for the length of a `with` block; None changes nothing."""
        before = cls._instance_dict
        if scope_name is not None:
            cls._instance_dict = {**before, f"overwrite-{len(before)}": cls("", scope_name)}
        try:
            yield
        finally:
            cls._instance_dict = before


def init_default_scope(scope: str) -> None:
    """Make a scope the one that builds look in first.

    Args:
        scope: The scope: the name of a package whose registries are children of mmengine's.
    """
    DefaultScope._instance_dict.pop(scope, None)  # so that it is the last one
    DefaultScope.get_instance(scope, scope_name=scope)
