"""The folders that hold mmcv, on and off `sys.path`."""

import os
import sys
from pathlib import Path

VERSION_VARIABLE = "BRICKWORK_COMPAT_VERSION"
"""The version that mmcv reports, where it is set."""

FOLDERS = {"mmcv": "mmcv1", "mmengine": "mmcv2"}
"""Names that `brickwork.compat.install` takes → folders."""


def path_of(folder: str) -> str:
    """Return the full path of a folder."""
    return str(Path(__file__).with_name(folder))


def check_version(folder: str, version: str) -> None:
    """Raise ValueError unless a version is one of the generation of a folder."""
    major = folder[-1]
    if version.split(".")[0] != major:
        raise ValueError(
            f"version must be one of mmcv {major}.x, such as {major}.4.0, got {version!r}"
        )


def install(folder: str, version: str | None = None) -> None:
    """Put a folder first on `sys.path`; do nothing if it is there.

    Args:
        folder: `"mmcv1"` or `"mmcv2"`.
        version: The version that mmcv reports.

    Raises:
        RuntimeError: If another mmcv has been imported, or the other folder is there.
        ValueError: If `version` is one of another generation.
    """
    path = path_of(folder)
    for other in set(FOLDERS.values()) - {folder}:
        if path_of(other) in sys.path:
            raise RuntimeError(f"{path_of(other)} is on sys.path already; uninstall it first")
    imported = getattr(sys.modules.get("mmcv"), "__file__", None)
    if "mmcv" in sys.modules and not str(imported).startswith(path):
        raise RuntimeError(
            f"mmcv has been imported already, from {imported}; install before anything imports it"
        )
    if version is not None:
        check_version(folder, version)
        os.environ[VERSION_VARIABLE] = version
    if path not in sys.path:
        sys.path.insert(0, path)


def uninstall(folder: str) -> None:
    """Take a folder from `sys.path`, and forget the modules that were imported from it."""
    path = path_of(folder)
    if path not in sys.path:
        return
    sys.path.remove(path)
    os.environ.pop(VERSION_VARIABLE, None)
    for name in [name for name in sys.modules if name.partition(".")[0] == "mmcv"]:
        del sys.modules[name]
