"""Our public names, parameters, defaults and registry entries against those of mmcv 1.7.2."""

import inspect
import json
from pathlib import Path
from typing import Any

import brickwork_base
import brickwork_init
import brickwork_layers
import brickwork_models
import brickwork_modules
import brickwork_registry
import brickwork_zoo
import pytest

API = json.loads(Path(__file__).with_name("mmcv_1_7_2_api.json").read_text())
PACKAGES = (
    brickwork_registry,
    brickwork_layers,
    brickwork_init,
    brickwork_base,
    brickwork_modules,
    brickwork_zoo,
    brickwork_models,
)

# Parameters that differ on purpose: each is a row of the migration guide.
DIFFERENT: dict[str, str] = {}
# Registry entries by another name for the same, and names of registries.
RENAMED = {"initializer": "initializers"}


def ours(name: str) -> Any:
    return next(getattr(package, name) for package in PACKAGES if hasattr(package, name))


def parameters(target: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(target).parameters.values())


@pytest.mark.parametrize("name", [name for name in API["signatures"] if name not in DIFFERENT])
def test_parameters_and_defaults(name: str) -> None:
    """Theirs come first, with their defaults; what we add is keyword-only or comes after."""
    theirs = API["signatures"][name]
    here = parameters(ours(name))
    keyword_only = [one for one in here if one.kind is one.KEYWORD_ONLY]
    if any(kind == "VAR_KEYWORD" for _, kind, *_ in theirs):
        # What they pass through unseen, we may name.
        theirs = [row for row in theirs if row[1] != "VAR_KEYWORD"]
    else:
        assert not [one.name for one in here if one.kind is one.VAR_KEYWORD]
    for row, one in zip(theirs, here, strict=False):
        if row[1] == "KEYWORD_ONLY":
            one = next(mine for mine in keyword_only if mine.name == row[0])
        assert (one.name, one.kind.name) == (row[0], row[1])
        if one.default is one.empty:
            assert len(row) == 2, f"{one.name} has the default {row[2]} in mmcv"
        elif not row[2].startswith("<"):  # an object without a value to compare
            assert repr(one.default) == row[2], one.name
    assert len(here) >= len(theirs)
    for one in here[len(theirs) :]:
        assert one.kind is not one.POSITIONAL_ONLY
        assert one.default is not one.empty or one.kind in (one.VAR_KEYWORD, one.VAR_POSITIONAL)


@pytest.mark.parametrize("name", API["registries"])
def test_registries_hold_what_theirs_hold(name: str) -> None:
    registry, theirs = ours(name), API["registries"][name]
    assert registry.name == RENAMED.get(theirs["name"], theirs["name"])
    for entry, class_name in theirs["entries"].items():
        assert registry.get(entry).__name__ == class_name
