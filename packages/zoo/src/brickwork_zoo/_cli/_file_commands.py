"""Commands about files: download, prefetch, verify, cache."""

from __future__ import annotations

import shutil
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from brickwork_zoo._fetch._cache import Cache, Entry
from brickwork_zoo._find._url import shown
from brickwork_zoo._settings import Settings
from brickwork_zoo.errors import CacheError, MissingFileError, ZooError

from ._output import (
    MISUSED,
    add_command,
    complain,
    exit_code,
    human,
    show_error,
    show_json,
    show_lines,
    show_table,
)


def add_to(commands: Any) -> None:
    """Add the commands."""
    command = add_command(
        commands, "download", _download, "Fetch files into the cache and print where they are."
    )
    command.add_argument(
        "uris", nargs="+", metavar="uri", help="a URI, as in torchvision://resnet50"
    )
    command.add_argument("--sha256", help="what the file must have; for a single one")
    command.add_argument("--timeout", type=float, help="seconds without a byte")
    command.add_argument("--retries", type=int, help="further attempts at each place")
    command.add_argument("--offline", action="store_true", default=None, help="make no request")
    _add_quiet(command)

    command = add_command(
        commands, "prefetch", _prefetch, "Make a bundle for a machine without a network."
    )
    command.add_argument("uris", nargs="+", metavar="uri", help="what to put into it")
    command.add_argument("--to", required=True, help="a folder, or an archive that ends with .tar")
    _add_quiet(command)

    command = add_command(commands, "verify", _verify, "Hash files again and compare.")
    command.add_argument("uris", nargs="+", metavar="uri", help="paths, or URIs in the cache")
    command.add_argument("--sha256", help="what the file must have; for a single one")

    command = add_command(commands, "cache", _cache, "Look after the cache.")
    command.add_argument("action", choices=("list", "path", "prune"), nargs="?", default="list")
    command.add_argument("names", nargs="*", help="prune: file names or URIs to remove as well")
    command.add_argument("--all", action="store_true", help="prune: remove every file")


def _add_quiet(command: ArgumentParser) -> None:
    command.add_argument("-q", "--quiet", action="store_true", help="draw no bar")


def _download(args: Namespace) -> int:
    from brickwork_zoo._fetch._download import download  # imports what only this needs

    if args.sha256 and len(args.uris) > 1:
        complain("--sha256 goes with a single file")
        return MISUSED
    done: dict[str, Path] = {}
    failed: dict[str, ZooError] = {}
    for uri in args.uris:
        try:
            done[uri] = download(
                uri,
                sha256=args.sha256,
                progress=False if args.quiet else None,
                timeout=args.timeout,
                retries=args.retries,
                offline=args.offline,
            )
        except ZooError as error:
            failed[uri] = error
            show_error(error, as_json=False)
        else:
            if not args.json:
                show_lines([done[uri]])
    if args.json:
        show_json({"files": done, "errors": {uri: str(e) for uri, e in failed.items()}})
    return max(map(exit_code, failed.values()), default=0)


def _prefetch(args: Namespace) -> int:
    from brickwork_zoo._load._prefetch import prefetch  # imports what only this needs

    files = prefetch(args.uris, args.to, progress=False if args.quiet else None)
    if args.json:
        show_json({"bundle": args.to, "files": files})
    else:
        show_lines(files)
    return 0


def _verify(args: Namespace) -> int:
    from brickwork_zoo._fetch._verify import verify  # imports what only this needs

    if args.sha256 and len(args.uris) > 1:
        complain("--sha256 goes with a single file")
        return MISUSED
    rows: list[dict[str, object]] = []
    code = 0
    for uri in args.uris:
        try:
            found = verify(uri, sha256=args.sha256)
        except ZooError as error:
            rows.append({"uri": uri, "answer": "failed", "problem": str(error)})
            code = max(code, exit_code(error))
            if not args.json:
                show_error(error, as_json=False)
        else:
            answer = "verified" if found.expected else "nothing to compare with"
            rows.append({"uri": uri, "answer": answer, "sha256": found.sha256, "path": found.path})
    if args.json:
        show_json(rows)
    else:
        good = [row for row in rows if "sha256" in row]
        show_lines(f"{row['sha256']}  {row['path']}  {row['answer']}" for row in good)
    return code


def _cache(args: Namespace) -> int:
    cache = Cache(Settings.read().home)
    if args.action != "prune" and (args.names or args.all):
        complain(f"names and --all go with cache prune, not with cache {args.action}")
        return MISUSED
    return _ACTIONS[args.action](cache, args)


def _cache_path(cache: Cache, args: Namespace) -> int:
    if args.json:
        show_json({"path": cache.root})
    else:
        show_lines([cache.root])
    return 0


def _cache_list(cache: Cache, args: Namespace) -> int:
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
        show_json(rows)
    elif rows:
        cells = [(human(row["size"]), row["uri"], row["file"]) for row in rows]  # type: ignore[arg-type]  # a size is a number
        show_table(("size", "uri", "file"), cells)
    return 0


def _cache_prune(cache: Cache, args: Namespace) -> int:
    entries = cache.entries()
    unknown = [name for name in args.names if not any(_is_named(e, [name]) for e in entries)]
    if unknown:
        raise MissingFileError(
            f"the cache has no {', '.join(unknown)}; `brickwork-zoo cache list` has all of it",
            uri=unknown[0],
        )
    chosen = [entry for entry in entries if args.all or _is_named(entry, args.names)]
    removed = _remove([entry.folder for entry in chosen] + cache.leftovers())
    removed += _remove(cache.leftovers())  # folders that are empty now
    if args.json:
        show_json({"removed": removed})
    else:
        show_lines(removed)
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


def _is_named(entry: Entry, names: list[str]) -> bool:
    record = entry.record()
    return entry.filename in names or (record is not None and record.uri in map(shown, names))


_ACTIONS = {"list": _cache_list, "path": _cache_path, "prune": _cache_prune}
