"""Commands about names: list, info, check-links."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from dataclasses import asdict
from typing import Any

from brickwork_zoo._find._catalog import SCHEMES, find_model, list_models, nearest
from brickwork_zoo._find._resolve import resolve
from brickwork_zoo._find._url import canonical

from ._output import (
    FAILED,
    add_command,
    complain,
    human,
    show_facts,
    show_json,
    show_lines,
    show_table,
)

_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e\d+)?)\s*([kmg]?)(i?)b?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}


def add_to(commands: Any) -> None:
    """Add the commands."""
    command = add_command(commands, "list", _list, "List the models of the catalogue.")
    command.add_argument("pattern", nargs="?", default="", help="part of a name, or with * and ?")
    command.add_argument("--source", choices=sorted(SCHEMES), help="only names of this scheme")
    command.add_argument("--family", help="only families that begin so, as in ResNet")
    command.add_argument("--max-params", type=_amount, metavar="N", help="at most, as in 25M")
    command.add_argument("--max-size", type=_amount, metavar="BYTES", help="at most, as in 100MB")
    command.add_argument("--min-acc1", type=float, metavar="PERCENT", help="at least, on ImageNet")

    command = add_command(commands, "info", _info, "Say what is known of a model.")
    command.add_argument("uri", help="a URI, as in torchvision://resnet50")

    command = add_command(
        commands, "check-links", _check_links, "Ask every place of some models for its file."
    )
    command.add_argument("uris", nargs="*", help="URIs; all of the catalogue by default")
    command.add_argument("--source", choices=sorted(SCHEMES), help="all names of this scheme")
    command.add_argument("--timeout", type=float, help="seconds without a byte")


def _amount(text: str) -> float:
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        raise ArgumentTypeError(f"{text!r} is no amount: write 25M, 100MB, 100MiB or 1e9")
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
        show_json(models)
    elif models:
        rows = [
            (m.uri, m.family, human(m.params, ""), human(m.size), m.metrics.get("acc1"))
            for m in models
        ]
        show_table(("uri", "family", "params", "size", "acc@1"), rows)
    if models:
        return 0
    complain(f"no model fits; {_closest(args)}")
    return FAILED


def _closest(args: Namespace) -> str:
    """Say what somebody may have meant whose words no model fits."""
    every = list_models(source=args.source)
    families = {m.family for m in every if m.family}
    if args.family and not list_models(source=args.source, family=args.family):
        close = nearest(args.family, families)
        return f"there is no family {args.family!r}, but {', '.join(close or sorted(families))}"
    names = {m.uri.partition("://")[2]: m.uri for m in every}
    close = [names[name] for name in nearest(args.pattern, names)]
    return f"close to {args.pattern!r}: {', '.join(close)}" if close else "ask for less"


def _info(args: Namespace) -> int:
    resource = resolve(args.uri)
    listed = canonical(args.uri).partition("://")[0] in SCHEMES
    facts = asdict(find_model(args.uri)) if listed else {}
    facts |= {key: value for key, value in asdict(resource).items() if key != "identity"}
    facts.pop("urls", None)
    if args.json:
        show_json(facts)
        return 0
    metrics = facts.pop("metrics", {})
    places = facts.pop("places")
    for name, unit in (("size", "B"), ("params", ""), ("flops", "")):
        facts[name] = human(facts.get(name), unit)
    show_facts(facts | metrics)
    show_lines(f"place  {place}" for place in places)
    return 0


def _check_links(args: Namespace) -> int:
    from tqdm import tqdm  # with requests, what the other two do not need

    from brickwork_zoo._fetch._links import check_links

    uris = args.uris or [model.uri for model in list_models(source=args.source)]
    answers = check_links(uris, timeout=args.timeout)
    links = list(tqdm(answers, desc="asked", unit="", leave=False, disable=None))
    if args.json:
        show_json(links)
    else:
        rows = [(link.problem or "ok", human(link.size), link.uri, link.place) for link in links]
        show_table(("answer", "size", "uri", "place"), rows)
    return int(any(link.problem for link in links))
