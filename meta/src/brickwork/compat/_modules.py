"""The modules of brickwork, by their place in its tree."""

from pathlib import Path

_ROOT = Path(__file__).parents[1]


def below(folder: str, name: str) -> dict[str, str]:
    """Map the modules of one of our packages to names elsewhere.

    Args:
        folder: The package, below `brickwork`.
        name: The name that stands for it.

    Returns:
        Names there → names here, for the package and every public module below it.
    """
    found = {name: f"brickwork.{folder}"}
    for path in sorted((_ROOT / folder).rglob("*.py")):
        parts = path.relative_to(_ROOT / folder).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if parts and not any(part.startswith("_") for part in parts):
            found[".".join((name, *parts))] = ".".join((f"brickwork.{folder}", *parts))
    return found
