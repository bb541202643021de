"""Deprecated names of arguments."""

import warnings
from collections.abc import Mapping
from typing import Any


def pop_renamed(owner: str, kwargs: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Remove arguments with deprecated names, with a warning, and return them by new names."""
    values = {}
    for old, new in names.items():
        if old in kwargs:
            warnings.warn(
                f"{old!r} of {owner} is deprecated, use {new!r}", DeprecationWarning, stacklevel=3
            )
            values[new] = kwargs.pop(old)
    return values
