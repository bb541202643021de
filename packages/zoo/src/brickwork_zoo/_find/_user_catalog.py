"""The user's own `open_mmlab.json`: model names and their URLs or paths."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from brickwork_zoo._settings import expand_home, user_catalog_folders
from brickwork_zoo.errors import InvalidInputError

# Both spellings count; a name in both is taken from the second.
_FILENAMES = ("open-mmlab.json", "open_mmlab.json")


def user_models() -> dict[str, str]:
    """Return the model names in the user's files and their URLs or absolute paths.

    Only the first folder with such a file counts.

    Raises:
        InvalidInputError: If a file does not map names to URLs or paths.
    """
    for folder in user_catalog_folders():
        paths = [folder / name for name in _FILENAMES]
        files = [path for path in paths if os.path.isfile(path)]  # noqa: PTH113  Path's may raise
        if files:
            return dict(pair for file in files for pair in _read(file))
    return {}


def _read(file: Path) -> Iterator[tuple[str, str]]:
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(table, dict):
            raise TypeError(f"it contains an object of type {type(table).__name__}")
        for name, target in table.items():
            if not isinstance(target, str):
                raise TypeError(f"the value of {name!r} is of type {type(target).__name__}")
            is_url = "://" in target
            yield name, target if is_url else str(file.parent / expand_home(target))
    except (ValueError, TypeError, OSError) as error:
        raise InvalidInputError(
            f"cannot read {file}: {error}; it must be a JSON object that maps names to URLs or "
            f"paths (relative to {file.parent})",
            uri=str(file),
        ) from error
