"""Commands about names: list, info, check-links."""

from __future__ import annotations

import re
from argparse import ArgumentTypeError, Namespace
from dataclasses import asdict
from typing import Any

from brickwork_zoo._catalog import SCHEMES, find_model, list_models
from brickwork_zoo._uri import resolve

from ._output import add_command, human, show_facts, show_json, show_lines, show_table

_NUMBER = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMgG]?)[bB]?")
_POWERS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9}


def add_to(commands: Any) -> None:
    """Add the commands."""
    command = add_command(commands, "list", _list, "List the models of the catalogue.")
    command.add_argument("pattern", nargs="?", default="", help="part of a name, or with * and ?")
    command.add_argument("--source", choices=sorted(SCHEMES), help="only names of this scheme")
    command.add_argument("--family", help="only this family, as in ResNet")
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
        raise ArgumentTypeError(f"{text!r} is no amount: write 25M, 100MB or 1e9 in full")
    return float(match[1]) * _POWERS[match[2].lower()]


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
        return 0
    rows = [
        (m.uri, m.family, human(m.params, ""), human(m.size), m.metrics.get("acc1")) for m in models
    ]
    if rows:
        show_table(("uri", "family", "params", "size", "acc@1"), rows)
    return 0 if rows else 1


def _info(args: Namespace) -> int:
    resource = resolve(args.uri)
    listed = args.uri.partition("://")[0] in SCHEMES
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
    from brickwork_zoo._links import (
        check_links,  # imports requests, which the other two do not need
    )

    uris = args.uris or [model.uri for model in list_models(source=args.source)]
    links = list(check_links(uris, timeout=args.timeout))
    if args.json:
        show_json(links)
    else:
        rows = [(link.problem or "ok", human(link.size), link.uri, link.place) for link in links]
        show_table(("answer", "size", "uri", "place"), rows)
    return int(any(link.problem for link in links))
