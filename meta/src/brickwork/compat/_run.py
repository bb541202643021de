"""Run a program under another package's name for ours."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NoReturn


def main(generation: str, arguments: list[str]) -> NoReturn:
    """Run `script.py args...`, `-m module args...` or `-c code args...` in place of this process.

    Python itself starts it, so that it is the main module that it always is; `BRICKWORK_COMPAT` and
    `PYTHONPATH` reach it, and the processes that it starts.

    Args:
        generation: What to install, see `brickwork.compat.install`.
        arguments: The command line of the program.
    """
    if not arguments:
        sys.exit(
            f"usage: python -m brickwork.compat.{generation} (script.py | -m module | -c code)"
            f" [args...]"
        )
    site = str(Path(__file__).parent / "site")
    os.environ["BRICKWORK_COMPAT"] = generation
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [site, os.environ.get("PYTHONPATH")]))
    options = sys.orig_argv[1 : -len(arguments) - 2]  # of Python, before `-m brickwork.compat...`
    command = [sys.executable, *options, *arguments]
    if sys.platform == "win32":  # where exec returns to the shell before the program ends
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)
