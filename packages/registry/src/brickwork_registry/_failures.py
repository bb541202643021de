"""What is said when a build fails: which class, of which registry, where in the config."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ._describe import describe, full_name
from ._entries import Entries
from ._factories import wrong_type
from ._paths import UNKNOWN, Path, find, join, walk
from ._signatures import misfits
from ._suggest import closest, suggest
from .errors import InvalidConfigError, MissingTypeError, NotRegisteredError, RegistryError

if TYPE_CHECKING:  # it builds, and asks here only what to say when that fails
    from ._registry import Registry


@dataclass(frozen=True)
class _Step:
    """One of the builds that an exception passes on its way out."""

    config: Mapping[str, Any]
    registry: Registry[Any]
    path: Path
    what: str

    def __str__(self) -> str:
        return f"{self.what}, at config path {join(self.path)}" if self.path else self.what


class _Trail(str):
    """The note about the builds passed so far, innermost first.

    It is the text that a traceback prints, and carries what the next enclosing build needs to
    put its own part of the path in front.
    """

    __slots__ = ("steps",)
    steps: tuple[_Step, ...]

    def __new__(cls, steps: tuple[_Step, ...]) -> _Trail:
        trail = super().__new__(cls, "\n  inside ".join(map(str, steps)))
        trail.steps = steps
        return trail

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)  # the text is what other processes need, configs may not pickle


def note_failure(
    error: BaseException,
    registry: Registry[Any],
    cfg: Mapping[str, Any],
    target: Any = None,
    given: Iterable[str] | None = None,
) -> None:
    """Note on an exception which class, registry and config it came from.

    `build_from_cfg` does it for what it builds; this is for functions that build by themselves
    (with positional arguments, say): call it in the ``except`` block, then ``raise``. Each
    enclosing build puts its part of the config path in front, so what the user reads is
    ``model.backbone.stem``.

    Args:
        error: The exception; its note is added to or made longer.
        registry: The registry whose entry was built.
        cfg: The config it was built from.
        target: The class or function; None if the exception came before that was known.
        given: Names of the keyword arguments given. Default: the keys of `cfg` but ``type``.

    Example:
        >>> def build_layer(cfg, *args):
        ...     kwargs = {**cfg}
        ...     layer = LAYERS.resolve(kwargs.pop('type'))
        ...     try:
        ...         return layer(*args, **kwargs)
        ...     except Exception as error:
        ...         note_failure(error, LAYERS, cfg, layer, kwargs)
        ...         raise
    """
    notes = getattr(error, "__notes__", [])
    index = next((i for i, note in enumerate(notes) if isinstance(note, _Trail)), None)
    step = _step(registry, cfg, target)
    if index is not None:
        passed = notes[index].steps
        where = _where(passed[-1], cfg)
        passed = tuple(replace(one, path=(*where, *one.path)) for one in passed)
        notes[index] = _Trail((*passed, step))
        return
    if target is not None and isinstance(error, TypeError):
        names = given if given is not None else _names(cfg)
        for text in _argument_notes(target, names, str(error)):
            error.add_note(text)
    error.add_note(_Trail((*_looked_up(error, cfg, registry), step)))


def _step(registry: Registry[Any], cfg: Mapping[str, Any], target: Any) -> _Step:
    if target is not None:
        what = full_name(_called(target))
    else:
        what = repr(cfg["type"]) if "type" in cfg else "a config without a type"
    text = f"building {what} from the registry {registry.name!r} (scope {registry.scope!r})"
    return _Step(cfg, registry, (), text)


def _where(inner: _Step, cfg: Mapping[str, Any]) -> Path:
    """Tell the place of a build within the config of the one around it."""
    if inner.config is cfg:  # one function that hands its config on to another
        return ()

    def resolve(kind: Any) -> Any:
        if isinstance(kind, str):
            found = inner.registry.module_dict.get(kind)
            return kind if found is None else found
        return getattr(kind, "func", kind)  # builders bind positional arguments by a partial

    found = find(inner.config, cfg, resolve)
    return (UNKNOWN,) if found is None else found


def _looked_up(
    error: BaseException, cfg: Mapping[str, Any], registry: Registry[Any]
) -> tuple[_Step, ...]:
    """Find the config within another whose ``type`` was looked up, and missed, by itself."""
    if isinstance(error, NotRegisteredError) and cfg.get("type") != error.key:
        for path, config in walk(cfg):
            if path and config.get("type") == error.key:
                return (_Step(config, registry, path, f"looking up {error.key!r}"),)
    return ()


def explain(
    error: Exception,
    target: Any,
    cfg: Mapping[str, Any],
    registry: Registry[Any],
    default_args: Mapping[str, Any] | None,
) -> Exception:
    """Say what went wrong in a call of `build_from_cfg`.

    Args:
        error: What was raised.
        target: The class or function; None if it had not been found.
        cfg: The argument of `build_from_cfg`, as are the next two.
        registry: The same.
        default_args: The same.

    Returns:
        The exception to raise: `error` itself with notes, or a clear one if an argument of
        `build_from_cfg` was wrong.
    """
    if target is None and not isinstance(error, RegistryError):
        error = _wrong_argument(cfg, registry, default_args) or error
    if isinstance(registry, Entries) and isinstance(cfg, Mapping):
        merged = {**default_args, **cfg} if isinstance(default_args, Mapping) else cfg
        # The object given, if that is all there is: enclosing builds look for its identity.
        note_failure(
            error, registry, cfg if len(merged) == len(cfg) else merged, target, _names(merged)
        )
    return error


def misspelt_type(cfg: Mapping[str, Any]) -> str:
    """Point at the key of a config without a ``type`` that may be meant for it; or ``''``."""
    keys = closest("type", [key for key in cfg if isinstance(key, str)])
    return f"is {keys[0]!r} a misspelt 'type'?" if keys else ""


def _names(cfg: Mapping[str, Any]) -> list[str]:
    return [key for key in cfg if key != "type"]


def _wrong_argument(cfg: Any, registry: Any, default_args: Any) -> RegistryError | None:
    if not isinstance(cfg, Mapping):
        return InvalidConfigError("cfg", "a dict", describe(cfg))
    if not isinstance(registry, Entries):
        return InvalidConfigError("registry", "a brickwork_registry.Registry", describe(registry))
    if not (default_args is None or isinstance(default_args, Mapping)):
        return InvalidConfigError("default_args", "a dict or None", describe(default_args))
    if "type" not in cfg and "type" not in (default_args or {}):
        config = f"{dict(cfg)!r}"
        if default_args is not None:
            config = f"{config} and the defaults {dict(default_args)!r}"
        return MissingTypeError(registry.name, config, misspelt_type(cfg))
    kind = cfg.get("type", (default_args or {}).get("type"))
    return None if isinstance(kind, Hashable) else wrong_type(kind)


def _called(target: Any) -> Any:
    """Tell what a partial calls; anything else is called itself."""
    return getattr(target, "func", target)


def _argument_notes(target: Any, names: Iterable[str], text: str) -> list[str]:
    """Say which arguments a call did not take, what it takes, and what may be meant."""
    unknown, valid = misfits(target, names, text)
    notes = []
    for name in unknown:
        meant = suggest(name, valid)
        notes.append(
            f"{full_name(target)} has no argument {name!r}" + (f": {meant}" if meant else "")
        )
    if unknown:
        notes.append(f"its arguments are {', '.join(valid)}" if valid else "it has no arguments")
    return notes
