"""The modules of brickwork, by their place in its tree."""

import os
from collections.abc import Iterator

_ROOT = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120  # pathlib is slow to import


def below(folder: str, name: str) -> dict[str, str]:
    """Map the modules of one of our packages to names elsewhere.

    Args:
        folder: The package, below `brickwork`.
        name: The name that stands for it.

    Returns:
        Names there → names here, for the package and every public module below it.
    """
    return {f"{name}{tail}": f"brickwork.{folder}{tail}" for tail in _tails(f"{_ROOT}/{folder}")}


def _tails(folder: str) -> Iterator[str]:
    yield ""
    with os.scandir(folder) as entries:
        for entry in entries:
            module, extension = os.path.splitext(entry.name)  # noqa: PTH122  # as above
            if module.startswith("_"):
                continue
            if extension == ".py":
                yield f".{module}"
            elif entry.is_dir():
                yield from (f".{module}{tail}" for tail in _tails(entry.path))
