"""The command line of the zoo.

It ends with 0 if all went well, 1 if something failed, 2 if it was called wrongly, 130 if it was
interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from brickwork_zoo import __version__
from brickwork_zoo.errors import ZooError

from . import _catalog_commands, _checkpoint_commands, _file_commands
from ._output import FAILED, INTERRUPTED, exit_code, show_error


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: Its words; those of the process by default.

    Returns:
        The exit code.
    """
    args = parser().parse_args(argv)
    try:
        code = _run(args)
        sys.stdout.flush()  # here, where a reader that has gone is no surprise
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return code


def _run(args: argparse.Namespace) -> int:
    try:
        return int(args.run(args))
    except ZooError as error:
        show_error(error, as_json=args.json)
        return exit_code(error)


def parser() -> argparse.ArgumentParser:
    """Return what reads the words of a command."""
    top = argparse.ArgumentParser(
        prog="brickwork-zoo",
        description="Find, fetch, verify and look into model weights.",
        epilog="Exit codes: 0 all went well, 1 something failed, 2 called wrongly.",
    )
    top.add_argument("--version", action="version", version=f"brickwork-zoo {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for part in (_catalog_commands, _file_commands, _checkpoint_commands):
        part.add_to(commands)
    return top
