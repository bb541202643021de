"""Applying the rules of an ``init_cfg``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from brickwork_registry import build_from_cfg, suggest
from torch import nn

from ._initializer import INITIALIZERS, Initializer
from ._selection import EVERY
from ._session import Session, current_session, initialization_session
from .errors import RuleError, RuleTypeError, TargetError

Rule: TypeAlias = Mapping[str, Any]
InitCfg: TypeAlias = Rule | Sequence[Rule]


def initialize(module: nn.Module, init_cfg: InitCfg) -> None:
    """Initialize a module by rules, loaded weights too.

    Args:
        module: The module; rules reach its descendants and itself.
        init_cfg: One rule or a list of them, applied in order. A rule names its initializer as
            ``type`` and has the initializer's arguments; ``layer``, ``match`` and ``where`` say
            what it selects, see `Initializer`. Its ``override``, one dict or a list, initializes
            the whole part called ``name`` (an attribute or a dotted path): by the rule itself, or,
            if it has a ``type``, by that. Never changed.

    Raises:
        RuleTypeError: If `init_cfg` or an override is not a dict or list (a `TypeError`).
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
    session = current_session()
    if session is None:
        with initialization_session(module):
            return initialize(module, init_cfg)
    for name, initializer in _steps(session, init_cfg):
        target = module if name is None else find_part(module, name, init_cfg)
        if only_fills(initializer):
            initializer(target)
        else:
            session.call_initializer(initializer, target)
    return None


Step: TypeAlias = tuple[str | None, Any]  # the name of a part, None for the whole; an initializer


def _steps(session: Session, init_cfg: InitCfg) -> list[Step]:
    """Build the initializers of a config, once for the modules in a row that have the same."""
    steps: list[Step]
    for known, steps in session.rules:
        try:
            if known == init_cfg:
                return steps
        except Exception:  # values that do not compare, arrays for example
            continue
    steps = build_steps(init_cfg)
    if all(only_fills(initializer) for _, initializer in steps):
        steps = [(name, initializer) for name, initializer in steps if initializer.selects]
        session.rules = [(init_cfg, steps), *session.rules[: _CACHED - 1]]
    return steps


def only_fills(initializer: Any) -> bool:
    """Whether an initializer has no code of its own but its fill."""
    return type(initializer).__call__ is Initializer.__call__


def build_steps(init_cfg: InitCfg) -> list[Step]:
    """Build the initializers of a config, each with the name of the part that it is for."""
    return [(name, build_from_cfg(rule, INITIALIZERS)) for name, rule in _rules(init_cfg)]


_CACHED = 8  # configs


def _rules(init_cfg: InitCfg) -> Iterator[tuple[str | None, Rule]]:
    """Yield each rule with the name of the part that it is for, None for the whole module."""
    if isinstance(init_cfg, Mapping):
        init_cfg = (init_cfg,)
    elif not isinstance(init_cfg, list | tuple):
        raise RuleTypeError(
            f"init_cfg must be a dict or a list of dicts, got {init_cfg!r}", init_cfg
        )
    for rule in init_cfg:
        if not isinstance(rule, Mapping):
            raise RuleTypeError(f"a rule of an init_cfg must be a dict, got {rule!r}", rule)
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
            f"override must be a dict or a list of dicts, got {overrides!r} in {rule}", rule
        )
    for override in overrides:
        if not isinstance(override, Mapping):
            raise RuleTypeError(
                f"override must be a dict or a list of dicts, got {override!r} in {rule}", rule
            )
        args = dict(override)
        name = args.pop("name", None)
        if name is None:
            raise RuleError(f"override must have the key 'name', got {args} in {rule}", rule)
        if args and "type" not in args:
            raise RuleError(
                f"override must have the key 'type', got {args} in {rule}; "
                "pass only 'name' to use the arguments of the rule itself",
                rule,
            )
        yield name, _for_every_class(args or own)


def find_part(module: nn.Module, path: str, rule: InitCfg) -> nn.Module:
    """Return the part of a module with the name of an attribute, or a dotted path."""
    part: object = module
    for name in path.split("."):
        try:
            part = getattr(part, name)
        except AttributeError as error:
            hint = suggest(path, [name for name, _ in module.named_modules() if name])
            parts = ", ".join(name for name, _ in module.named_children())
            raise TargetError(
                f"{type(module).__name__} has no part {path!r}, which {rule} names; "
                f"{hint or f'its parts are {parts}'}",
                path,
                rule,
            ) from error
    if not isinstance(part, nn.Module):
        raise TargetError(
            f"the name of an override must be that of a module, got {path!r} of type "
            f"{type(part).__name__} in {rule}; select a parameter by match={path!r}",
            path,
            rule,
        )
    return part


def _for_every_class(rule: Rule) -> Rule:
    """Return a rule that selects modules of every class, if its initializer selects any."""
    initializer = rule.get("type")
    if isinstance(initializer, str):
        initializer = INITIALIZERS.get(initializer)
    if not (isinstance(initializer, type) and issubclass(initializer, Initializer)):
        return rule
    if initializer.loads_weights:
        return rule
    conditions = ("layer", "match", "where")
    return {**{k: v for k, v in rule.items() if k not in conditions}, "layer": EVERY}
