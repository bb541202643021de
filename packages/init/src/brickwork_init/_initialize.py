"""From an ``init_cfg`` to values: what the rules say, then doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from brickwork_registry import build_from_cfg, suggest
from torch import nn

from ._initializer import INITIALIZERS, Initializer
from ._run import Run
from ._running import current_run, running
from ._selection import EVERY
from .errors import RuleError, RuleTypeError, TargetError

Rule: TypeAlias = Mapping[str, Any]
InitCfg: TypeAlias = Rule | Sequence[Rule]


def initialize(module: nn.Module, init_cfg: InitCfg, *, force: bool = False) -> None:
    """Initialise a module by rules.

    Args:
        module: The module; rules reach its descendants and itself.
        init_cfg: One rule or a list of them, applied in order. A rule names its initializer as
            ``type`` and has the initializer's arguments; ``layer``, ``match`` and ``where`` say
            what it selects, see `Initializer`. Its ``override``, one dict or a list, initialises
            the whole part called ``name`` (an attribute or a dotted path): by the rule itself, or,
            if it has a ``type``, by that. Never changed.
        force: Whether to overwrite loaded weights, too.

    Raises:
        RuleTypeError: If `init_cfg` or an override is no dict or list (a `TypeError`).
        RuleError: If an override has no ``name``, or arguments but no ``type`` (a `ValueError`).
        TargetError: If an override names a part that `module` lacks (a `RuntimeError`).

    Example:
        >>> from torch import nn
        >>> from brickwork_init import initialize
        >>> model = nn.Sequential(nn.Conv1d(3, 1, 3), nn.Linear(1, 2))
        >>> initialize(model, [dict(type='Constant', layer='Conv1d', val=1),
        ...                    dict(type='Constant', layer='Linear', val=2)])
        >>> model[1].weight.tolist()
        [[2.0], [2.0]]
    """
    run = current_run()
    if run is None:
        with running(module, force=force):
            return initialize(module, init_cfg)
    for name, step in _steps(run, init_cfg):
        step(module if name is None else _part(module, name, init_cfg))
    return None


Step: TypeAlias = tuple[str | None, Callable[[nn.Module], object]]  # for a part, or the whole


def _steps(run: Run, init_cfg: InitCfg) -> list[Step]:
    """Build the initializers of a config once for all the modules in a row that have the like."""
    steps: list[Step]
    for known, steps in run.rules:
        try:
            if known == init_cfg:
                return steps
        except Exception:  # values that do not compare, arrays for example
            continue
    built = [(name, build_from_cfg(rule, INITIALIZERS)) for name, rule in _rules(init_cfg)]
    if any(type(one).__call__ is not Initializer.__call__ for _, one in built):
        return [(name, partial(run.apply, one)) for name, one in built]
    steps = [(name, one) for name, one in built if one.selects]
    run.rules = [(init_cfg, steps), *run.rules[: _KEPT - 1]]
    return steps


_KEPT = 8


def _rules(init_cfg: InitCfg) -> Iterator[tuple[str | None, Rule]]:
    """Yield each rule with the name of the part that it is for, None for the whole."""
    if isinstance(init_cfg, Mapping):
        init_cfg = (init_cfg,)
    elif not isinstance(init_cfg, list | tuple):
        raise RuleTypeError(
            f"init_cfg must be a dict or a list of dict, but got {type(init_cfg)}: {init_cfg!r}",
            init_cfg,
        )
    for rule in init_cfg:
        if not isinstance(rule, Mapping):
            raise RuleTypeError(
                f"init_cfg must be a dict or a list of dict, but its list has {rule!r}", rule
            )
        if "override" not in rule:
            yield None, rule
            continue
        own = {key: value for key, value in rule.items() if key != "override"}
        yield None, own
        if rule["override"] is not None:
            yield from _overrides(rule["override"], own, rule)


def _overrides(
    overrides: object, own: dict[str, Any], rule: Rule
) -> Iterator[tuple[str | None, Rule]]:
    if isinstance(overrides, Mapping):
        overrides = (overrides,)
    elif not isinstance(overrides, list | tuple):
        raise RuleTypeError(
            f"override must be a dict or a list of dict, but got {type(overrides)}, in {rule}", rule
        )
    for override in overrides:
        if not isinstance(override, Mapping):
            raise RuleTypeError(
                f"override must be a dict or a list of dict, but got {override!r}, in {rule}", rule
            )
        args = dict(override)
        name = args.pop("name", None)
        if name is None:
            raise RuleError(
                f'`override` must contain the key "name", but got {args}, in {rule}', rule
            )
        if args and "type" not in args:
            raise RuleError(
                f'`override` need "type" key, but got {args}, in {rule}; '
                'give only "name" to use the arguments of the rule itself',
                rule,
            )
        yield name, _whole(args or own)


def _part(module: nn.Module, path: str, rule: InitCfg) -> nn.Module:
    """Find a part of a module by an attribute's name or a dotted path."""
    part: object = module
    for name in path.split("."):
        try:
            part = getattr(part, name)
        except AttributeError as error:
            hint = suggest(path, [name for name, _ in module.named_modules() if name])
            parts = ", ".join(name for name, _ in module.named_children())
            raise TargetError(
                f"module did not have attribute {path}, but init_cfg is {rule}; "
                f"{hint or f'its parts are {parts}'}",
                path,
                rule,
            ) from error
    if not isinstance(part, nn.Module):
        raise TargetError(
            f"{path} is a {type(part).__name__}, not a module, but init_cfg is {rule}; "
            f"select a parameter by match={path!r}",
            path,
            rule,
        )
    return part


def _whole(rule: Rule) -> Rule:
    """Let a rule mean modules of every class, if it is of a kind that selects."""
    kind = rule.get("type")
    kind = INITIALIZERS.get(kind) if isinstance(kind, str) else kind
    if isinstance(kind, type) and issubclass(kind, Initializer) and not kind.loads_weights:
        selects = ("layer", "match", "where")
        return {**{k: v for k, v in rule.items() if k not in selects}, "layer": EVERY}
    return rule
