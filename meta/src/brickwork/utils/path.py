"""Helpers for files and folders."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["check_file_exist", "fopen", "is_filepath", "mkdir_or_exist", "scandir", "symlink"]


def is_filepath(x: object) -> bool:
    """Return whether `x` is a string or a path."""
    return isinstance(x, str | Path)


def fopen(filepath: str | Path, *args: Any, **kwargs: Any) -> Any:
    """Open a file given as a string or a path, with the arguments of the built-in `open`."""
    return Path(filepath).open(*args, **kwargs)


def check_file_exist(filename: str | Path, msg_tmpl: str = 'file "{}" does not exist') -> None:
    """Raise FileNotFoundError unless a file exists.

    Args:
        filename: Path of the file.
        msg_tmpl: Message with a field for the name.
    """
    if not Path(filename).is_file():
        raise FileNotFoundError(msg_tmpl.format(filename))


def mkdir_or_exist(dir_name: str | Path, mode: int = 0o777) -> None:
    """Create a folder and its parents unless it exists; do nothing for an empty name."""
    if dir_name != "":
        Path(dir_name).expanduser().mkdir(mode=mode, parents=True, exist_ok=True)


def symlink(src: str | Path, dst: str | Path, overwrite: bool = True, **kwargs: Any) -> None:
    """Create a symbolic link.

    Args:
        src: Target of the link.
        dst: Path of the link.
        overwrite: Whether an existing link is replaced.
        **kwargs: Options of `Path.symlink_to`.
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
    """Yield the files of a folder, hidden ones left out.

    Args:
        dir_path: Path of the folder.
        suffix: Suffix of the names, or several; any by default.
        recursive: Whether to include subfolders.
        case_sensitive: Whether the case of the suffix matters.

    Yields:
        Paths relative to `dir_path`.

    Raises:
        TypeError: If an argument has the wrong type.
    """
    if not isinstance(dir_path, str | Path):
        raise TypeError(f"dir_path must be a string or a path, got {dir_path!r}")
    suffixes = (suffix,) if isinstance(suffix, str) else suffix
    if suffixes is not None and not isinstance(suffixes, tuple):
        raise TypeError(f"suffix must be a string or a tuple of strings, got {suffix!r}")
    if suffixes and not case_sensitive:
        suffixes = tuple(text.lower() for text in suffixes)
    root = Path(dir_path)
    for path in sorted(root.rglob("*") if recursive else root.iterdir()):
        name = str(path.relative_to(root))
        comparable = name if case_sensitive else name.lower()
        is_hidden = path.name.startswith(".")
        has_suffix = suffixes is None or comparable.endswith(suffixes)
        if path.is_file() and not is_hidden and has_suffix:
            yield name
