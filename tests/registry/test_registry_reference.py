"""Comparison with the registry of mmcv 1.7.2, whose outcomes are stored in a file."""

import json
from pathlib import Path

import pytest
from brickwork_registry import Registry, build_from_cfg

from tests.registry.scenarios import outcomes

BRICKWORK = outcomes(Registry, build_from_cfg)
MMCV = json.loads((Path(__file__).parent / "scenarios_mmcv_1_7_2.json").read_text())

# Scenario → why brickwork differs, and its outcome.
DIFFERENT = {
    "unknown_scope": (
        "mmcv fails with an AttributeError of its own code",
        [None, False, "KeyError"],
    ),
    "own_scope_before_a_child": ("mmcv does not follow a child after its own scope", "Cat"),
    "a_child_of_no_registry": ("mmcv asserts", "TypeError"),
    "two_children_of_one_scope": ("mmcv asserts", "KeyError"),
    "registering_again": (
        "a taken name in a list registers none of the list",
        ["KeyError", "KeyError", "KeyError", ["Cat", "dog", "hound", "bark"]],
    ),
}


@pytest.mark.parametrize("name", sorted(BRICKWORK.keys() - DIFFERENT))
def test_outcome_equals_that_of_mmcv(name):
    assert BRICKWORK[name] == MMCV[name]


@pytest.mark.parametrize("name", sorted(DIFFERENT))
def test_outcome_differs_from_mmcv_as_documented(name):
    assert BRICKWORK[name] == DIFFERENT[name][1] != MMCV[name]


def test_stored_outcomes_cover_exactly_these_scenarios():
    assert BRICKWORK.keys() == MMCV.keys()
