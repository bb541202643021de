"""The building bricks of convolutional networks, together, as people know them from `mmcv.cnn`.

`import brickwork` loads nothing; `brickwork.cnn`, `.runner`, `.utils` and `.model_zoo` are imported
when they are first asked for. Where `BRICKWORK_COMPAT` is set, it installs what it names
(see `brickwork.compat`).
"""

import os

__version__ = "0.1.0"

_SUBPACKAGES = ("cnn", "compat", "model_zoo", "runner", "utils")
__all__ = [*_SUBPACKAGES, "versions"]


def __getattr__(name: str) -> object:
    """Import a part when it is first asked for."""
    # Not `_lazy.attach`: reading the stub would cost as much as starting Python does.
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
