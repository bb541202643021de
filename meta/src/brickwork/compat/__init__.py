"""Let code that was written against other packages run unchanged.

`install("mmcv")` makes `import mmcv` ours from then on, see `brickwork.compat.mmcv`;
`install("mmengine")` does so for `mmengine` and mmcv 2.x, see `brickwork.compat.mmengine`. The same
can be asked for from outside: `BRICKWORK_COMPAT=mmcv` takes effect where `brickwork` is imported,
and, with the folder that `python -m brickwork.compat` prints on `PYTHONPATH`, in every program.
"""

import importlib

__all__ = ["install"]

_GENERATIONS = ("mmcv", "mmengine")


def install(*names: str) -> None:
    """Make the imports of other packages ours.

    Args:
        *names: `"mmcv"` for 1.x, `"mmengine"` for mmengine and mmcv 2.x.

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
        importlib.import_module(f"{__name__}.{name}").install()
