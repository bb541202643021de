"""Helpers for methods and renamed arguments."""

import functools
import inspect
import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def deprecated_api_warning(
    name_dict: Mapping[str, str], cls_name: str | None = None
) -> Callable[[F], F]:
    """Return a decorator that accepts arguments under old names, with a warning.

    Args:
        name_dict: New name by old name.
        cls_name: Name of the class for the message, if the function is a method.

    Returns:
        The decorator. The function raises TypeError if both names are given.
    """

    def decorate(func: F) -> F:
        full_name = f"{cls_name}.{func.__name__}" if cls_name else func.__name__
        positional = inspect.getfullargspec(func).args

        @functools.wraps(func)
        def renamed(*args: Any, **kwargs: Any) -> Any:
            for old, new in name_dict.items():
                if old not in kwargs and old not in positional[: len(args)]:
                    continue
                if old in kwargs:
                    if new in kwargs:
                        raise TypeError(
                            f"{full_name} got {new!r} and its old name {old!r}; pass only {new!r}"
                        )
                    kwargs[new] = kwargs.pop(old)
                warnings.warn(
                    f'"{old}" is deprecated in `{full_name}`, please use "{new}" instead',
                    DeprecationWarning,
                    stacklevel=2,
                )
            return func(*args, **kwargs)

        return renamed  # type: ignore[return-value]  # functools.wraps keeps the signature

    return decorate


def is_method_overridden(method: str, base_class: type, derived_class: object) -> bool:
    """Return whether a class overrides a method.

    Args:
        method: Name of the method.
        base_class: Class that defines the method.
        derived_class: Class that may override it, or an object of it.

    Raises:
        TypeError: If `base_class` is not a class.
    """
    if not isinstance(base_class, type):
        raise TypeError(f"base_class must be a class, got {base_class!r}")
    derived = derived_class if isinstance(derived_class, type) else type(derived_class)
    return bool(getattr(derived, method) != getattr(base_class, method))


def has_method(obj: object, method: str) -> bool:
    """Return whether an object has a method of this name."""
    return callable(getattr(obj, method, None))
