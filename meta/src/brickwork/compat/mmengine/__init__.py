"""`import mmcv` of 2.x imports brickwork, on an installed mmengine.

Call `brickwork.compat.mmengine.install()` before anything imports mmcv, or, for a program as it is,
run `python -m brickwork.compat.mmengine script.py args...`. mmengine itself is pure Python and is
left alone: importing `mmcv.cnn` registers our layers in its `MODELS`, as mmcv 2.x does.
"""

import importlib.util
import sys

from brickwork.compat import _folder

__all__ = ["install", "uninstall"]


def install(version: str | None = None) -> None:
    """Put the folder of mmcv 2.x first on `sys.path`.

    Args:
        version: The version that mmcv reports, here and in processes started from here; 2.1.0, or
            that of the mmcv installed behind it, by default.

    Raises:
        ModuleNotFoundError: If mmengine is not installed.
        RuntimeError: If mmcv has been imported before.
        ValueError: If `version` is not one of 2.x.
    """
    if not _is_installed("mmengine"):
        raise ModuleNotFoundError(
            "mmcv 2.x needs mmengine, which is not installed: pip install 'brickwork[mmengine]'",
            name="mmengine",
        )
    _folder.install("mmcv2", version)


def uninstall() -> None:
    """Take the folder from `sys.path`; our builders no longer look into mmengine's registries."""
    _folder.uninstall("mmcv2")
    registries = sys.modules.get("brickwork.compat._mmengine_registries")
    if registries:
        registries.disconnect()


def _is_installed(package: str) -> bool:
    if package in sys.modules:
        return sys.modules[package] is not None
    return importlib.util.find_spec(package) is not None
