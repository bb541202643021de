"""Arguments that have a new name."""

import functools
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed_arguments(owner: str, **new_names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Accept keyword arguments under their old names, with a warning.

    Args:
        owner: Class or function that the arguments belong to.
        **new_names: New name by old name.

    Returns:
        A decorator.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for old, new in new_names.items():
                if old in kwargs:
                    warnings.warn(
                        f"argument '{old}' of {owner} is deprecated; use '{new}'",
                        DeprecationWarning,
                        stacklevel=2,
                    )
                    kwargs[new] = kwargs.pop(old)
            return function(*args, **kwargs)

        return wrapper

    return decorate
