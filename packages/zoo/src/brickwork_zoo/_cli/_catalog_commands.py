"""Commands about the catalog: list, info, check-links."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from dataclasses import asdict
from typing import Any

from brickwork_zoo._find._catalog import SCHEMES, nearest
from brickwork_zoo._find._models import find_model, list_models
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._find._url import normalize_case
from brickwork_zoo._redact import redact_credentials

from ._output import (
    FAILED,
    add_command,
    human,
    print_error,
    print_facts,
    print_json,
    print_lines,
    print_table,
)

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d+)?)\s*([kmg]?)(i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}


def add_to(commands: Any) -> None:
    """Add the commands to the parser's subcommands."""
    command = add_command(commands, "list", _list, "List the models of the catalog.")
    command.add_argument("pattern", nargs="?", default="", help="part of a name, or with * and ?")
    command.add_argument("--source", choices=sorted(SCHEMES), help="only models of this scheme")
    command.add_argument("--family", help="start of the family's name, such as ResNet")
    command.add_argument("--max-params", type=_amount, metavar="N", help="such as 25M")
    command.add_argument("--max-size", type=_amount, metavar="BYTES", help="such as 100MB")
    command.add_argument(
        "--min-acc1", type=float, metavar="PERCENT", help="minimum top-1 accuracy on ImageNet"
    )

    command = add_command(commands, "info", _info, "Show what is known about a file.")
    command.add_argument("uri", help="URI, such as torchvision://resnet50")

    command = add_command(
        commands, "check-links", _check_links, "Check whether URLs still have their files."
    )
    command.add_argument("uris", nargs="*", help="URIs; the whole catalog by default")
    command.add_argument("--source", choices=sorted(SCHEMES), help="all models of this scheme")
    command.add_argument("--timeout", type=float, help="seconds without a byte")


def _amount(text: str) -> float:
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ArgumentTypeError(f"must be a number such as 25M, 100MB, 100MiB or 1e9, got {text!r}")
    return float(match[1]) * (1024.0 if match[3] else 1000.0) ** _POWERS[match[2].lower()]


def _list(args: Namespace) -> int:
    models = list_models(
        args.pattern,
        source=args.source,
        family=args.family,
        max_params=args.max_params,
        max_size=args.max_size,
        min_acc1=args.min_acc1,
    )
    if args.json:
        print_json(models)
    elif models:
        rows = [
            (m.uri, m.family, human(m.params, ""), human(m.size), m.metrics.get("acc1"))
            for m in models
        ]
        print_table(("uri", "family", "params", "size", "acc@1"), rows)
    if models:
        return 0
    print_error(f"no model matches; {_suggestion(args)}")
    return FAILED


def _suggestion(args: Namespace) -> str:
    """Return a suggestion for arguments that no model matches."""
    models = list_models(source=args.source)
    families = {model.family for model in models if model.family}
    if args.family and not list_models(source=args.source, family=args.family):
        close = nearest(args.family, families)
        if close:
            return f"unknown family {args.family!r}; did you mean {' or '.join(close)}?"
        return f"unknown family {args.family!r}; known families: {', '.join(sorted(families))}"
    uris = {model.uri.partition("://")[2]: model.uri for model in models}
    close = [uris[name] for name in nearest(args.pattern, uris)]
    if close:
        return f"similar to {args.pattern!r}: {', '.join(close)}"
    return "use a shorter pattern or fewer conditions"


def _info(args: Namespace) -> int:
    resource = resolve(args.uri)
    is_in_catalog = normalize_case(args.uri).partition("://")[0] in SCHEMES
    facts = asdict(find_model(args.uri)) if is_in_catalog else {}
    facts |= {key: value for key, value in asdict(resource).items() if key != "identity"}
    facts["urls"] = [redact_credentials(url) for url in resource.urls]
    if args.json:
        print_json(facts)
        return 0
    metrics = facts.pop("metrics", {})
    urls = facts.pop("urls")
    for name, unit in (("size", "B"), ("params", ""), ("flops", "")):
        facts[name] = human(facts.get(name), unit)
    print_facts(facts | metrics)
    print_lines(f"url  {url}" for url in urls)
    return 0


def _check_links(args: Namespace) -> int:
    from tqdm import tqdm  # not needed by the other commands, as requests

    from brickwork_zoo._fetch._links import check_links

    uris = args.uris or [model.uri for model in list_models(source=args.source)]
    progress = tqdm(
        check_links(uris, timeout=args.timeout),
        desc="checked",
        unit="",
        leave=False,
        disable=None,
    )
    links = list(progress)
    if args.json:
        print_json(links)
    else:
        rows = [(link.problem or "ok", human(link.size), link.uri, link.url) for link in links]
        print_table(("result", "size", "uri", "url"), rows)
    return int(any(link.problem for link in links))
