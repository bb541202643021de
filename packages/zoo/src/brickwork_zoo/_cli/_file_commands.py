"""Commands about files: download, prefetch, verify."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from brickwork_zoo.errors import ZooError

from ._output import (
    MISUSED,
    add_command,
    add_hash_options,
    exit_code,
    expected_hash,
    print_error,
    print_json,
    print_lines,
    print_zoo_error,
)


def add_to(commands: Any) -> None:
    """Add the commands to the parser's subcommands."""
    command = add_command(
        commands, "download", _download, "Download files into the cache and print their paths."
    )
    command.add_argument(
        "uris", nargs="+", metavar="uri", help="URI, such as torchvision://resnet50"
    )
    add_hash_options(command)
    command.add_argument("--timeout", type=float, help="seconds without a byte")
    command.add_argument("--retries", type=int, help="further attempts for each URL")
    command.add_argument("--offline", action="store_true", default=None, help="make no request")
    _add_quiet(command)

    command = add_command(
        commands, "prefetch", _prefetch, "Make a bundle for a machine without a network."
    )
    command.add_argument("uris", nargs="+", metavar="uri", help="URIs to include")
    command.add_argument("--to", required=True, help="folder, or archive that ends in .tar")
    _add_quiet(command)

    command = add_command(commands, "verify", _verify, "Hash files again and compare.")
    command.add_argument("uris", nargs="+", metavar="uri", help="paths, or URIs in the cache")
    command.add_argument("--sha256", help="expected SHA-256; only with a single file")


def _add_quiet(command: ArgumentParser) -> None:
    command.add_argument("-q", "--quiet", action="store_true", help="show no progress bar")


def _download(args: Namespace) -> int:
    from brickwork_zoo._fetch._download import download  # imports what only this command needs

    if args.sha256 and len(args.uris) > 1:
        print_error("--sha256 needs a single uri")
        return MISUSED
    paths: dict[str, Path] = {}
    errors: dict[str, ZooError] = {}
    for uri in args.uris:
        try:
            paths[uri] = download(
                uri,
                sha256=expected_hash(args),
                progress=False if args.quiet else None,
                timeout=args.timeout,
                retries=args.retries,
                offline=args.offline,
            )
        except ZooError as error:
            errors[uri] = error
            print_zoo_error(error, as_json=False)
        else:
            if not args.json:
                print_lines([paths[uri]])
    if args.json:
        print_json({"files": paths, "errors": {uri: str(e) for uri, e in errors.items()}})
    return max(map(exit_code, errors.values()), default=0)


def _prefetch(args: Namespace) -> int:
    from brickwork_zoo._load._prefetch import prefetch  # imports what only this command needs

    files = prefetch(args.uris, args.to, progress=False if args.quiet else None)
    if args.json:
        print_json({"bundle": args.to, "files": files})
    else:
        print_lines(files)
    return 0


def _verify(args: Namespace) -> int:
    from brickwork_zoo._fetch._verify import verify  # imports what only this command needs

    if args.sha256 and len(args.uris) > 1:
        print_error("--sha256 needs a single uri")
        return MISUSED
    rows: list[dict[str, object]] = []
    code = 0
    for uri in args.uris:
        try:
            verified = verify(uri, sha256=args.sha256)
        except ZooError as error:
            rows.append({"uri": uri, "result": "failed", "problem": str(error)})
            code = max(code, exit_code(error))
            if not args.json:
                print_zoo_error(error, as_json=False)
        else:
            result = "verified" if verified.expected else "nothing to compare with"
            facts = {"sha256": verified.sha256, "path": verified.path}
            rows.append({"uri": uri, "result": result, **facts})
    if args.json:
        print_json(rows)
    else:
        hashed = [row for row in rows if "sha256" in row]
        print_lines(f"{row['sha256']}  {row['path']}  {row['result']}" for row in hashed)
    return code
