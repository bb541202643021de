"""The building blocks of convolutional networks, under the names of `mmcv.cnn`.

`import brickwork` imports no other package; `brickwork.cnn`, `.ops`, `.runner`, `.utils` and
`.model_zoo` are imported on first use. If `BRICKWORK_COMPAT` is set, its packages are installed
(see `brickwork.compat`).
"""

import os

__version__ = "0.1.0"

_SUBPACKAGES = ("cnn", "compat", "image", "model_zoo", "ops", "parallel", "runner", "utils")
__all__ = [*_SUBPACKAGES, "versions"]


def __getattr__(name: str) -> object:
    """Import a subpackage on first use."""
    # Not `_lazy.attach`: parsing a stub would cost as much as starting Python does.
    if name in _SUBPACKAGES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if name == "versions":
        from ._versions import versions

        return versions
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if os.environ.get("BRICKWORK_COMPAT"):
    from .compat import install

    install(*os.environ["BRICKWORK_COMPAT"].split(","))
