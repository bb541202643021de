"""Our public names, parameters, defaults and registry entries against those of mmcv 1.7.2."""

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

API = json.loads(Path(__file__).with_name("mmcv_1_7_2_api.json").read_text())

# What differs on purpose, and why: each is a row of the migration guide.
DIFFERENT = {
    "runner.load_checkpoint.map_location": "'cpu': a file does not choose the loader's device",
    "runner.load_checkpoint.revise_keys": "the same pairs in a tuple, which nobody can change",
    "cnn.RFSearchHook.config": "None instead of a dict that all would share",
}
RENAMED = {"initializer": "initializers"}  # the group of entry points is named after it


def ours(name: str) -> Any:
    """What `brickwork` has where mmcv has `name`."""
    place, _, attribute = name.rpartition(".")
    return getattr(import_module(place.replace("mmcv", "brickwork", 1)), attribute)


def row(one: inspect.Parameter) -> list[str]:
    default = [] if one.default is one.empty else [repr(one.default)]
    return [one.name, one.kind.name, *default]


@pytest.mark.parametrize("name", API["signatures"])
def test_parameters_and_defaults(name: str) -> None:
    """Theirs come first, with their defaults; what we add comes after and is optional."""
    here = list(inspect.signature(ours(name)).parameters.values())
    by_name = {one.name: row(one) for one in here if one.kind is one.KEYWORD_ONLY}
    by_position = [row(one) for one in here if one.kind is not one.KEYWORD_ONLY]
    for theirs in API["signatures"][name]:
        if theirs[1] == "VAR_KEYWORD":
            continue  # what they pass on unseen, we may name
        mine = by_name.pop(theirs[0], None) or by_position.pop(0)
        assert mine[:2] == theirs[:2]
        different = f"{name}.{theirs[0]}".removeprefix("mmcv.") in DIFFERENT
        if not (different or theirs[-1].startswith("<")):  # an object without a value to compare
            assert mine[2:] == theirs[2:]
    for mine in (*by_name.values(), *by_position):
        assert len(mine) == 3 or mine[1] == "VAR_KEYWORD"


@pytest.mark.parametrize("name", API["registries"])
def test_registries_hold_what_theirs_hold(name: str) -> None:
    registry, theirs = ours(name), API["registries"][name]
    assert registry.name == RENAMED.get(theirs["name"], theirs["name"])
    for entry, class_name in theirs["entries"].items():
        assert registry.get(entry).__name__ == class_name
