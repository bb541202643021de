"""Run by Python at its start where this folder is on `PYTHONPATH`: follow `BRICKWORK_COMPAT`."""

import importlib.machinery
import importlib.util
import os
import sys

_here = os.path.dirname(__file__)  # noqa: PTH120  # pathlib is not loaded at this point

# one of the same name, which this one hides, still runs
_spec = importlib.machinery.PathFinder.find_spec(
    "sitecustomize",
    [path for path in sys.path if os.path.abspath(path or ".") != _here],  # noqa: PTH100
)
if _spec and _spec.loader:
    _spec.loader.exec_module(importlib.util.module_from_spec(_spec))

if os.environ.get("BRICKWORK_COMPAT"):
    from brickwork.compat import install

    install(*os.environ["BRICKWORK_COMPAT"].split(","))
