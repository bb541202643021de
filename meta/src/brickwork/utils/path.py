"""Files and folders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["check_file_exist", "fopen", "is_filepath", "mkdir_or_exist", "scandir", "symlink"]


def is_filepath(x: object) -> bool:
    """Tell whether `x` is a string or a path."""
    return isinstance(x, str | Path)


def fopen(filepath: str | Path, *args: Any, **kwargs: Any) -> Any:
    """Open a file, given as a string or a path; the rest is for the built-in `open`."""
    return Path(filepath).open(*args, **kwargs)


def check_file_exist(filename: str | Path, msg_tmpl: str = 'file "{}" does not exist') -> None:
    """Raise FileNotFoundError unless there is such a file.

    Args:
        filename: The file.
        msg_tmpl: The message, with a place for the name.

    Raises:
        FileNotFoundError: If there is none.
    """
    if not Path(filename).is_file():
        raise FileNotFoundError(msg_tmpl.format(filename))


def mkdir_or_exist(dir_name: str | Path, mode: int = 0o777) -> None:
    """Make a folder, and those above it, unless it exists; an empty name makes nothing."""
    if dir_name != "":
        Path(dir_name).expanduser().mkdir(mode=mode, parents=True, exist_ok=True)


def symlink(src: str | Path, dst: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
    """Make `dst` a link to `src`.

    Args:
        src: Where it points.
        dst: The link.
        overwrite: Whether a link that exists is replaced.
        **kwargs: For `Path.symlink_to`.
    """
    if overwrite:
        Path(dst).unlink(missing_ok=True)
    Path(dst).symlink_to(src, **kwargs)


def scandir(
    dir_path: str | Path,
    suffix: str | tuple[str, ...] | None = None,
    recursive: bool = False,
    case_sensitive: bool = True,
) -> Iterator[str]:
    """Find the files of a folder.

    Args:
        dir_path: The folder.
        suffix: How the names end, one ending or several; any by default.
        recursive: Whether to look into folders below it.
        case_sensitive: Whether the case of the ending counts.

    Yields:
        Paths from `dir_path` to the files; those that begin with a dot are left out.

    Raises:
        TypeError: If an argument is of another type.
    """
    if not isinstance(dir_path, str | Path):
        raise TypeError(f"dir_path must be a string or a path, got {dir_path!r}")
    endings = (suffix,) if isinstance(suffix, str) else suffix
    if endings is not None and not isinstance(endings, tuple):
        raise TypeError(f"suffix must be a string or a tuple of strings, got {suffix!r}")
    if endings and not case_sensitive:
        endings = tuple(ending.lower() for ending in endings)
    root = Path(dir_path)
    for path in sorted(root.rglob("*") if recursive else root.iterdir()):
        name = str(path.relative_to(root))
        shown = name if case_sensitive else name.lower()
        hidden = path.name.startswith(".")
        if path.is_file() and not hidden and (endings is None or shown.endswith(endings)):
            yield name
