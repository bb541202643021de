"""Cost of building from a config relative to calling the constructor."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from brickwork_registry import Registry, build_from_cfg
from harness import FLOOR, OURS, Row, take_turns

CALLS = 20_000


class Thing:
    """A class with a cheap constructor."""

    def __init__(self, a: int, b: int = 0) -> None:
        self.a, self.b = a, b


def contenders(scope: str | None) -> dict[str, Callable[[], object]]:
    """Return a loop of calls for the constructor, brickwork and each installed peer."""
    kinds: dict[str, tuple[Any, Any]] = {OURS: (Registry, build_from_cfg)}
    for peer, module in (("mmcv", "mmcv.utils"), ("mmengine", "mmengine.registry")):
        with warnings.catch_warnings(), suppress(ImportError):
            warnings.simplefilter("ignore")
            library = import_module(module)
            kinds[peer] = library.Registry, library.build_from_cfg

    def straight() -> None:
        for _ in range(CALLS):
            Thing(a=1, b=2)

    runs: dict[str, Callable[[], object]] = {FLOOR: straight}
    for name, (kind, build) in kinds.items():
        registry = kind("thing", scope="root")
        holder = kind("thing", parent=registry, scope=scope) if scope else registry
        holder.register_module(name="Thing", module=Thing)
        cfg = {"type": f"{scope}.Thing" if scope else "Thing", "a": 1, "b": 2}

        def loop(build: Any = build, cfg: Any = cfg, registry: Any = registry) -> None:
            for _ in range(CALLS):
                build(cfg, registry)

        runs[name] = loop
    return runs


def rows(rounds: int = 30) -> Iterator[Row]:
    """Measure a call, and a call with a child scope."""
    for cost, scope, more in (
        ("build_from_cfg, a call", None, 0.4),
        ("build_from_cfg of a child scope, a call", "child", 1.0),
    ):
        values = take_turns(contenders(scope), rounds, scale=1e6 / CALLS)
        yield Row(cost, "the constructor", "us", values, more=more)
