"""Commands about the contents of a file: inspect, which needs no torch, and convert."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Any

from ._output import (
    FAILED,
    add_command,
    add_hash_options,
    expected_hash,
    human,
    print_error,
    print_facts,
    print_json,
    print_lines,
    print_table,
)


def add_to(commands: Any) -> None:
    """Add the commands to the parser's subcommands."""
    command = add_command(
        commands, "inspect", _inspect, "Show what a checkpoint contains, without running its code."
    )
    command.add_argument("uri", help="path or URI")
    add_hash_options(command)
    command.add_argument("--offline", action="store_true", default=None, help="make no request")

    command = add_command(
        commands, "convert", _convert, "Write only the weights of a checkpoint to a new file."
    )
    command.add_argument("uri", help="path or URI")
    command.add_argument(
        "target",
        nargs="?",
        help="new file, .safetensors, .pth or .pt; by default .safetensors in this folder",
    )
    add_hash_options(command)
    command.add_argument("--prefix", help="only keys with this prefix, such as backbone.")
    command.add_argument("--entry", help="key of the checkpoint's entry with the weights")
    command.add_argument(
        "--trust",
        action="store_true",
        help="run the code in the file; only for files that you trust like a program",
    )


def _inspect(args: Namespace) -> int:
    from brickwork_zoo._fetch._download import download  # imports what only this command needs
    from brickwork_zoo._formats._inspect import inspect

    inspection = inspect(download(args.uri, sha256=expected_hash(args), offline=args.offline))
    if args.json:
        print_json(asdict(inspection) | {"nbytes": inspection.nbytes})
        return 0
    print_facts(
        {
            "file": inspection.path,
            "format": inspection.format,
            "tensors": len(inspection.tensors),
            "bytes": human(inspection.nbytes),
            "globals": ", ".join(inspection.globals),
            "refused": ", ".join(inspection.unsafe),
        }
    )
    rows = [
        (tensor.key, tensor.dtype, "x".join(map(str, tensor.shape)), human(tensor.nbytes))
        for tensor in inspection.tensors
    ]
    if rows:
        print_table(("key", "dtype", "shape", "size"), rows)
    print_lines(f"{key}: {value}" for key, value in inspection.other.items())
    return 0


def _convert(args: Namespace) -> int:
    try:
        from brickwork_zoo._save._convert import convert  # needs torch, unlike the others
    except ImportError as error:
        print_error(f"convert needs torch ({error}): pip install 'brickwork-zoo[torch]'")
        return FAILED
    path = convert(
        args.uri,
        args.target,
        prefix=args.prefix,
        entry=args.entry,
        weights_only=not args.trust,
        sha256=expected_hash(args),
    )
    if args.json:
        print_json({"path": path})
    else:
        print_lines([path])
    return 0
