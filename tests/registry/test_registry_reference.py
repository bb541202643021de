"""The registry does what mmcv 1.7.2's does, but for the differences listed here."""

import json
import runpy
from pathlib import Path

import pytest
from brickwork_registry import Registry, build_from_cfg

HERE = Path(__file__).parent
OURS = runpy.run_path(str(HERE / "scenarios.py"))["outcomes"](Registry, build_from_cfg)
THEIRS = json.loads((HERE / "scenarios_mmcv_1_7_2.json").read_text())

# Scenario → why ours ends otherwise, and how.
DIFFERENT = {
    "unknown_scope": (
        "the original fails with an AttributeError of its own",
        [None, False, "KeyError"],
    ),
    "own_scope_before_a_child": ("the original does not follow a child after its own scope", "Cat"),
    "a_child_of_no_registry": ("the original asserts", "TypeError"),
    "two_children_of_one_scope": ("the original asserts", "KeyError"),
    "registering_again": (
        "the same object again is nothing; a clash of one name registers none of the list",
        ["Cat", "Cat", "KeyError", ["Cat", "dog", "hound", "bark", "cat"]],
    ),
}


@pytest.mark.parametrize("name", sorted(OURS.keys() - DIFFERENT))
def test_scenario_ends_as_in_mmcv(name):
    assert OURS[name] == THEIRS[name]


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_scenario_ends_better_than_in_mmcv(name):
    assert OURS[name] == DIFFERENT[name][1] != THEIRS[name]


def test_reference_has_exactly_these_scenarios():
    assert OURS.keys() == THEIRS.keys()
