"""Versions of the installed packages."""

import importlib.metadata

_PARTS = ("registry", "init", "layers", "base", "modules", "ops", "zoo", "models")


def versions() -> dict[str, str]:
    """Return the versions of PyTorch and of the installed packages of the project.

    Returns:
        Version by distribution, dependencies first; what is not installed is left out.
    """
    installed = {}
    for name in ("torch", *(f"brickwork-{part}" for part in _PARTS), "brickwork"):
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed
