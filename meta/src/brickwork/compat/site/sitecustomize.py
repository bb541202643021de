"""Run by Python at its start where this folder is on `PYTHONPATH`: follow `BRICKWORK_COMPAT`."""

import os
import sys
from importlib.machinery import PathFinder

_HERE = os.path.dirname(__file__)  # noqa: PTH120  # pathlib is not loaded at this point

# one of the same name, which this one hides, still runs
_spec = PathFinder.find_spec(
    "sitecustomize",
    [path for path in sys.path if os.path.abspath(path or ".") != _HERE],  # noqa: PTH100
)
if _spec and _spec.loader:
    from importlib.util import module_from_spec  # slow to import, and rarely needed

    _spec.loader.exec_module(module_from_spec(_spec))


class _Installer:
    """Installs what is asked for once it is first imported: other programs pay nothing."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):  # type: ignore[no-untyped-def]  # no typing
        if name.partition(".")[0] not in ("mmcv", "mmengine"):
            return None
        sys.meta_path.remove(cls)
        if "brickwork" in sys.modules:  # which has installed it, and perhaps uninstalled
            return None
        import brickwork  # noqa: F401  # it follows the variable

        found = (finder.find_spec(name, path, target) for finder in sys.meta_path)
        return next(filter(None, found), None)


if os.environ.get("BRICKWORK_COMPAT"):
    sys.meta_path.insert(0, _Installer)
