"""Commands about what is in a file: inspect, which needs no torch, and convert, which does."""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from ._output import add_command, human, show_facts, show_json, show_lines, show_table


def add_to(commands: Any) -> None:
    """Add the commands."""
    command = add_command(
        commands, "inspect", _inspect, "Say what is in a checkpoint, without running any of it."
    )
    command.add_argument("uri", help="a path or URI")
    command.add_argument("--offline", action="store_true", default=None, help="make no request")

    command = add_command(
        commands, "convert", _convert, "Write a checkpoint's weights, and only them, to a new file."
    )
    command.add_argument("uri", help="a path or URI")
    command.add_argument(
        "target", nargs="?", help="ends with .safetensors, .pth or .pt; here by default"
    )
    command.add_argument("--prefix", help="only what lies below this name, as in backbone.")
    command.add_argument("--entry", help="the key under which the checkpoint has its weights")
    command.add_argument(
        "--trust",
        action="store_true",
        help="run the code that the file holds: only for one that you trust",
    )


def _inspect(args: Namespace) -> int:
    from brickwork_zoo._fetch._download import download  # imports what only this needs
    from brickwork_zoo._formats._inspect import inspect

    found = inspect(download(args.uri, offline=args.offline))
    if args.json:
        show_json(asdict(found) | {"nbytes": found.nbytes})
        return 0
    facts = {"file": found.path, "format": found.format, "tensors": len(found.tensors)}
    show_facts(facts | {"bytes": human(found.nbytes), "globals": ", ".join(found.globals)})
    if found.unsafe:
        show_facts({"refused": ", ".join(found.unsafe)})
    rows = [(t.key, t.dtype, "x".join(map(str, t.shape)), human(t.nbytes)) for t in found.tensors]
    if rows:
        show_table(("key", "dtype", "shape", "size"), rows)
    show_lines(f"{key}: {value}" for key, value in found.other.items())
    return 0


def _convert(args: Namespace) -> int:
    try:
        from brickwork_zoo._save._convert import (
            convert,  # imports torch, which nothing else here does
        )
    except ImportError as error:
        sys.stderr.write(
            f"brickwork-zoo: convert needs torch ({error}): pip install 'brickwork-zoo[torch]'\n"
        )
        return 1
    path = convert(
        args.uri,
        args.target,
        prefix=args.prefix,
        entry=args.entry,
        weights_only=not args.trust,
    )
    if args.json:
        show_json({"path": path})
    else:
        show_lines([path])
    return 0
