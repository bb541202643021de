"""`import mmcv` of 1.x imports brickwork: call `brickwork.compat.mmcv.install()` before it.

Or, for a program as it is: `python -m brickwork.compat.mmcv script.py args...`.
"""

from brickwork.compat import _folder

__all__ = ["install", "uninstall"]


def install(version: str | None = None) -> None:
    """Put the folder of mmcv 1.x first on `sys.path`.

    Args:
        version: The version that mmcv reports, here and in processes started from here; 1.7.0, or
            that of the mmcv installed behind it, by default.

    Raises:
        RuntimeError: If mmcv has been imported before.
        ValueError: If `version` is not one of 1.x.
    """
    _folder.install("mmcv1", version)


def uninstall() -> None:
    """Take the folder from `sys.path`; what was imported from it stays usable."""
    _folder.uninstall("mmcv1")
