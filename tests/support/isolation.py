"""An interpreter in which only some distributions of the repository are installed."""

import sysconfig
from pathlib import Path

from tests.support.python import run_python
from tests.support.repository import DISTRIBUTIONS


def run_with_only(folder: Path, names: list[str], code: str) -> str:
    """Run code where only the given distributions are installed, beside all third-party packages.

    The interpreter runs without `site`, on a copy of site-packages made of links.

    Args:
        folder: An empty folder for the links.
        names: Names of distributions of the repository.
        code: Python code.

    Returns:
        The stripped standard output.
    """
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("brickwork", "_brickwork")):
            (folder / entry.name).symlink_to(entry)
    sources = [str(DISTRIBUTIONS[name].package.parent) for name in names]
    path = ":".join([*sources, str(folder)])
    return run_python("-S", "-c", code, PYTHONPATH=path)
