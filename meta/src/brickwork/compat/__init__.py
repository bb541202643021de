"""Let code that was written for mmcv run unchanged.

`install("mmcv")` makes `import mmcv` of 1.x import brickwork from then on, see
`brickwork.compat.mmcv`; `install("mmengine")` does so for mmcv 2.x on an installed mmengine, see
`brickwork.compat.mmengine`. `BRICKWORK_COMPAT=mmcv` does the same where `brickwork` is imported.
"""

import importlib

from ._placeholder import is_placeholder, placeholders
from .errors import NotCoveredError

__all__ = ["NotCoveredError", "install", "is_placeholder", "placeholders"]

_GENERATIONS = ("mmcv", "mmengine")


def install(*names: str, version: str | None = None) -> None:
    """Make `import mmcv` import brickwork.

    Args:
        *names: `"mmcv"` for mmcv 1.x, or `"mmengine"` for mmcv 2.x on an installed mmengine.
        version: The version that mmcv reports, for packages that refuse others.

    Raises:
        ValueError: If a name is another, or both generations are asked for.
    """
    unknown = set(names) - set(_GENERATIONS)
    if unknown or len(set(names)) > 1:
        raise ValueError(
            f"BRICKWORK_COMPAT and brickwork.compat.install take one of {', '.join(_GENERATIONS)},"
            f" got {','.join(names)!r}: the two generations both call themselves mmcv"
        )
    for name in names:
        importlib.import_module(f"{__name__}.{name}").install(version=version)
