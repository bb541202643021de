"""The command line of the zoo.

Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from brickwork_zoo import __version__
from brickwork_zoo.errors import ZooError

from . import _cache_commands, _catalog_commands, _checkpoint_commands, _file_commands
from ._output import FAILED, INTERRUPTED, exit_code, print_zoo_error


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command, by default that of the process, and return the exit code."""
    args = parser().parse_args(argv)
    try:
        code = _run(args)
        sys.stdout.flush()  # so that a closed pipe is noticed here
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of the output, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _run(args: argparse.Namespace) -> int:
    try:
        return int(args.run(args))
    except ZooError as error:
        print_zoo_error(error, as_json=args.json)
        return exit_code(error)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="brickwork-zoo",
        description="Find, download, verify and inspect model weights.",
        epilog="Exit codes: 0 success, 1 failure, 2 wrong usage, 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"brickwork-zoo {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (_catalog_commands, _file_commands, _cache_commands, _checkpoint_commands):
        part.add_to(commands)
    return top
