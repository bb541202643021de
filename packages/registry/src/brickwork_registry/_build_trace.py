"""The trace of nested builds on an exception: class, registry and config path of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ._config_paths import UNKNOWN, Path, find, format_path, walk
from ._describe import full_name
from ._signatures import refused_arguments
from ._suggest import suggest
from .errors import NotRegisteredError


@dataclass(frozen=True)
class _Step:
    """A build that an exception passed through."""

    text: str
    path: Path = ()

    def __str__(self) -> str:
        return f"{self.text}, at config path {format_path(self.path)}" if self.path else self.text


@dataclass
class _Builds:
    """State of the inner builds, for the next enclosing build.

    Kept on the exception as ``_builds``. It is pickled empty: configs may not pickle, and
    another process has no enclosing build.
    """

    steps: list[_Step] = field(default_factory=list)
    config: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[str, Any] = field(default_factory=dict)

    def __reduce__(self) -> tuple[type[_Builds], tuple[()]]:
        return _Builds, ()


def add_build(
    error: BaseException,
    registry: str,
    scope: str,
    entries: Mapping[str, Any],
    cfg: Mapping[str, Any],
    target: Any,
    argument_names: Iterable[str],
) -> None:
    """Append a build to ``error.build_trace`` and complete the config paths of those before it.

    See `brickwork_registry.note_failure`; `entries` are those of the registry.
    """
    builds: _Builds | None = getattr(error, "_builds", None)
    if builds is not None and builds.steps:
        prefix = _path_within(cfg, builds)
        steps = [replace(step, path=(*prefix, *step.path)) for step in builds.steps]
    elif builds is not None:  # unpickled
        steps = [_Step(text) for text in error.build_trace]  # type: ignore[attr-defined]
    else:
        steps = [*_failed_lookup(error, cfg)]
        if target is not None and isinstance(error, TypeError):
            for note in _argument_notes(target, argument_names, str(error)):
                error.add_note(note)
    steps.append(
        _Step(f"{_building(target, cfg)} from the registry {registry!r} (scope {scope!r})")
    )
    _show(error, steps)
    error._builds = _Builds(steps, cfg, entries)  # type: ignore[attr-defined]


def _show(error: BaseException, steps: list[_Step]) -> None:
    """Set ``error.build_trace``, and its note that a traceback prints."""
    previous = getattr(error, "build_trace", [])
    trace = [str(step) for step in steps]
    error.build_trace = trace  # type: ignore[attr-defined]
    notes = getattr(error, "__notes__", [])
    if previous and _note(previous) in notes:
        notes[notes.index(_note(previous))] = _note(trace)
    else:
        error.add_note(_note(trace))


def _note(trace: list[str]) -> str:
    return "\n  inside ".join(trace)


def _building(target: Any, cfg: Mapping[str, Any]) -> str:
    if target is not None:
        return f"building {full_name(getattr(target, 'func', target))}"
    return f"building {cfg['type']!r}" if "type" in cfg else "building a config without a type"


def _path_within(cfg: Mapping[str, Any], builds: _Builds) -> Path:
    """Return the path of the previous build's config within that of the enclosing build."""
    if builds.config is cfg:  # a builder that passes its config on to another
        return ()

    def resolve(kind: Any) -> Any:
        if isinstance(kind, str):
            return builds.entries.get(kind, kind)
        return getattr(kind, "func", kind)  # builders bind positional arguments with a partial

    path = find(builds.config, cfg, resolve)
    return (UNKNOWN,) if path is None else path


def _failed_lookup(error: BaseException, cfg: Mapping[str, Any]) -> list[_Step]:
    """Return a step for a failed lookup of the config's ``type``, if that is the error."""
    if isinstance(error, NotRegisteredError) and cfg.get("type") != error.key:
        for path, config in walk(cfg):
            if path and config.get("type") == error.key:
                return [_Step(f"looking up {error.key!r}", path)]
    return []


def _argument_notes(target: Any, names: Iterable[str], message: str) -> list[str]:
    """Return notes about arguments that a call did not accept: suggestions and valid names."""
    refused, valid = refused_arguments(target, names, message)
    notes = []
    for name in refused:
        suggestion = suggest(name, valid)
        notes.append(
            f"{full_name(target)} has no argument {name!r}"
            + (f": {suggestion}" if suggestion else "")
        )
    if refused:
        notes.append(f"its arguments are {', '.join(valid)}" if valid else "it has no arguments")
    return notes
