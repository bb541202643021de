"""What is installed."""

import importlib.metadata

_PARTS = ("registry", "init", "layers", "base", "modules", "zoo", "models")


def versions() -> dict[str, str]:
    """Tell the version of each installed part, and of PyTorch.

    Returns:
        Distribution name → version, in the order in which the parts build on each other; a part
        that is not installed is left out.
    """
    found = {}
    for name in ("torch", *(f"brickwork-{part}" for part in _PARTS), "brickwork"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
