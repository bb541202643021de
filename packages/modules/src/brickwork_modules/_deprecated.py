"""Arguments that go by another name today."""

import warnings
from collections.abc import Mapping
from typing import Any


def renamed(owner: str, given: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Take the arguments given under an old name, with a warning.

    Args:
        owner: Whose arguments they are.
        given: Further keyword arguments; those taken are removed.
        names: New name by old name.

    Returns:
        The values by their new names.
    """
    taken = {}
    for old, new in names.items():
        if old in given:
            warnings.warn(
                f"{old!r} of {owner} is deprecated, use {new!r}", DeprecationWarning, stacklevel=3
            )
            taken[new] = given.pop(old)
    return taken
