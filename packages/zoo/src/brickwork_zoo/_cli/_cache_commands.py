"""The command `cache`, with the actions list, path and prune."""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path
from typing import Any

from brickwork_zoo._fetch._cache import Cache
from brickwork_zoo._fetch._cache_entry import Entry
from brickwork_zoo._redact import redact_credentials
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import CacheError, MissingFileError

from ._output import MISUSED, add_command, human, print_error, print_json, print_lines, print_table


def add_to(commands: Any) -> None:
    """Add the command to the parser's subcommands."""
    command = add_command(commands, "cache", _cache, "List or remove the files in the cache.")
    command.add_argument("action", choices=_ACTIONS, nargs="?", default="list")
    command.add_argument("names", nargs="*", help="prune: file names or URIs to remove as well")
    command.add_argument("--all", action="store_true", help="prune: remove every file")


def _cache(args: Namespace) -> int:
    cache = Cache(Settings.read().home)
    if args.action != "prune" and (args.names or args.all):
        print_error(f"names and --all need the action prune, got {args.action}")
        return MISUSED
    return _ACTIONS[args.action](cache, args)


def _path(cache: Cache, args: Namespace) -> int:
    if args.json:
        print_json({"path": cache.root})
    else:
        print_lines([cache.root])
    return 0


def _list(cache: Cache, args: Namespace) -> int:
    rows = []
    for entry in cache.entries():
        record = entry.record()
        rows.append(
            {
                "file": entry.target,
                "size": entry.target.stat().st_size,
                "uri": record.uri if record else None,
                "sha256": record.sha256 if record else None,
            }
        )
    if args.json:
        print_json(rows)
    elif rows:
        cells = [(human(row["size"]), row["uri"], row["file"]) for row in rows]  # type: ignore[arg-type]  # a size is a number
        print_table(("size", "uri", "file"), cells)
    return 0


def _prune(cache: Cache, args: Namespace) -> int:
    entries = cache.entries()
    unknown = [name for name in args.names if not any(_has_name(e, [name]) for e in entries)]
    if unknown:
        raise MissingFileError(
            f"not in the cache: {', '.join(unknown)}; `brickwork-zoo cache list` lists its files",
            uri=unknown[0],
        )
    chosen = [entry for entry in entries if args.all or _has_name(entry, args.names)]
    removed = _remove([entry.folder for entry in chosen] + cache.leftovers())
    removed += _remove(cache.leftovers())  # folders that are empty now
    if args.json:
        print_json({"removed": removed})
    else:
        print_lines(removed)
    return 0


def _remove(paths: list[Path]) -> list[Path]:
    for path in paths:
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise CacheError(f"cannot remove {path}: {error}", path=path) from error
    return paths


def _has_name(entry: Entry, names: list[str]) -> bool:
    """Return whether an entry's file name or URI is one of `names`."""
    record = entry.record()
    uris = map(redact_credentials, names)
    return entry.filename in names or (record is not None and record.uri in uris)


_ACTIONS = {"list": _list, "path": _path, "prune": _prune}
