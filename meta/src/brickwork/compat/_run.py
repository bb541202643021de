"""Run a program with the folder of a generation of mmcv on its path."""

import argparse
import os
import subprocess
import sys
from typing import NoReturn

from ._folder import FOLDERS, VERSION_VARIABLE, check_version, path_of


def main(generation: str, arguments: list[str]) -> NoReturn:
    """Run `script.py args...`, `-m module args...` or `-c code args...` in place of this process.

    Python itself starts it, so that it is the main module that it always is; `PYTHONPATH` reaches
    it, and the processes that it starts.

    Args:
        generation: What to install, see `brickwork.compat.install`.
        arguments: Options of ours, and then the command line of the program.
    """
    options, program = _split(generation, arguments)
    if options.version:
        try:
            check_version(FOLDERS[generation], options.version)
        except ValueError as error:
            sys.exit(str(error))
        os.environ[VERSION_VARIABLE] = options.version
    if options.names:
        os.environ["BRICKWORK_COMPAT_NAMES"] = "1"
    folder = path_of(FOLDERS[generation])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
    of_python = sys.orig_argv[1 : -len(arguments) - 2]  # before `-m brickwork.compat...`
    command = [sys.executable, *of_python, *program]
    if sys.platform == "win32":  # where exec returns to the shell before the program ends
        sys.exit(subprocess.call(command))
    os.execv(sys.executable, command)


def _split(generation: str, arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return our options and the command line of the program."""
    parser = argparse.ArgumentParser(
        prog=f"python -m brickwork.compat.{generation}",
        usage="%(prog)s [--version VERSION] [--names] (script.py | -m module | -c code) [args...]",
        allow_abbrev=False,
    )
    parser.add_argument("--version", help="the version that mmcv reports")
    parser.add_argument(
        "--names", action="store_true", help="list the placeholders when the program ends"
    )
    start = 0
    while start < len(arguments) and arguments[start].startswith("--"):
        start += 2 if arguments[start] == "--version" else 1
    if start >= len(arguments):
        parser.print_usage(sys.stderr)
        sys.exit(2)
    return parser.parse_args(arguments[:start]), arguments[start:]
