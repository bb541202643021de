"""Run a program under another package's name for ours."""

import os
import runpy
import sys
from pathlib import Path

from . import install


def main(generation: str, arguments: list[str]) -> None:
    """Run `script.py args...` or `-m module args...`, here and in the processes that it starts.

    Args:
        generation: What to install, see `brickwork.compat.install`.
        arguments: The command line of the program.
    """
    if not arguments or (arguments[0] == "-m" and len(arguments) < 2):
        sys.exit(
            f"usage: python -m brickwork.compat.{generation} (script.py | -m module) [args...]"
        )
    os.environ["BRICKWORK_COMPAT"] = generation
    site = str(Path(__file__).parent / "site")
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [site, *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    install(generation)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str(Path(arguments[0]).resolve().parent)  # as `python script.py` has it
        runpy.run_path(arguments[0], run_name="__main__")
