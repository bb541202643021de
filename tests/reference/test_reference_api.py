"""Public names, parameters, defaults and registry entries against those of mmcv 1.7.2."""

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

API = json.loads(Path(__file__).with_name("mmcv_1_7_2_api.json").read_text())

# Intended differences with their reasons; each is a row of the migration guide.
DIFFERENT = {
    "runner.load_checkpoint.map_location": "'cpu': a file does not choose the loader's device",
    "runner.load_checkpoint.revise_keys": "the same pairs in an immutable tuple",
    "cnn.RFSearchHook.config": "None instead of a shared mutable dict",
}
RENAMED = {"initializer": "initializers"}  # the group of entry points is named after it


def ours(name: str) -> Any:
    """Return the object of brickwork with a name of mmcv."""
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(module.replace("mmcv", "brickwork", 1)), attribute)


def row(parameter: inspect.Parameter) -> list[str]:
    has_default = parameter.default is not parameter.empty
    default = [repr(parameter.default)] if has_default else []
    return [parameter.name, parameter.kind.name, *default]


@pytest.mark.parametrize("name", API["signatures"])
def test_parameters_start_with_those_of_mmcv(name: str) -> None:
    """With the same defaults; additional parameters follow and are optional."""
    here = list(inspect.signature(ours(name)).parameters.values())
    by_name = {p.name: row(p) for p in here if p.kind is p.KEYWORD_ONLY}
    by_position = [row(p) for p in here if p.kind is not p.KEYWORD_ONLY]
    for theirs in API["signatures"][name]:
        if theirs[1] == "VAR_KEYWORD":
            continue  # brickwork may name what mmcv passes on
        mine = by_name.pop(theirs[0], None) or by_position.pop(0)
        assert mine[:2] == theirs[:2]
        different = f"{name}.{theirs[0]}".removeprefix("mmcv.") in DIFFERENT
        if not (different or theirs[-1].startswith("<")):  # an object without a value to compare
            assert mine[2:] == theirs[2:]
    for mine in (*by_name.values(), *by_position):
        assert len(mine) == 3 or mine[1] == "VAR_KEYWORD"


@pytest.mark.parametrize("name", API["registries"])
def test_registry_has_the_entries_of_mmcv(name: str) -> None:
    registry, theirs = ours(name), API["registries"][name]
    assert registry.name == RENAMED.get(theirs["name"], theirs["name"])
    for entry, class_name in theirs["entries"].items():
        assert registry.get(entry).__name__ == class_name
