"""`import mmcv` (1.x) is ours: `brickwork.compat.mmcv.install()` before anything imports it.

Or, for a program as it is: `python -m brickwork.compat.mmcv script.py args...`.
"""

from brickwork.compat._alias import Coverage
from brickwork.compat._alias import install as _install
from brickwork.compat._alias import uninstall as _uninstall
from brickwork.compat._modules import below

__all__ = ["install", "uninstall"]

_MMCV = Coverage(
    package="mmcv",
    version="1.7.2",
    modules={
        "mmcv": "brickwork.utils",  # the original gives its helpers at the top, too
        **below("cnn", "mmcv.cnn"),
        **below("runner", "mmcv.runner"),
        **below("utils", "mmcv.utils"),
        "mmcv.model_zoo": "brickwork.model_zoo",
    },
    whole=("mmcv.cnn", "mmcv.utils.registry", "mmcv.runner.base_module"),
    distributions=("mmcv-full", "mmcv"),
)


def install() -> None:
    """Make `import mmcv` ours from now on.

    Raises:
        RuntimeError: If mmcv has been imported before.
    """
    _install(_MMCV)


def uninstall() -> None:
    """Give the name `mmcv` back; what has imported from it keeps what it has."""
    _uninstall(_MMCV)
