"""Bricks against mmcv 1.7.2: state-dict keys, values under a seed, outputs for known weights."""

from functools import cache
from typing import Any

import brickwork_base
import brickwork_init
import brickwork_layers
import brickwork_modules
import pytest

from tests.reference.cases import DIFFERENT_OUTPUTS, GROUPS
from tests.reference.running import Result, run
from tests.reference.stored import stored_results
from tests.support.tensors import assert_matches_stored

# Where the names of a group's cases are looked up, in this order.
PACKAGES = {
    "layers": (brickwork_layers,),
    "modules": (brickwork_modules, brickwork_layers, brickwork_base),
    "init": (brickwork_init, brickwork_base, brickwork_modules),
}
CASES = [(group, case) for group, cases in GROUPS.items() for case in cases]
INITIALIZED = [(group, case) for group, case in CASES if GROUPS[group][case]["then"]]
CALLED = [
    pytest.param(
        *(group, case),
        marks=[pytest.mark.xfail(reason=DIFFERENT_OUTPUTS[case])]
        if case in DIFFERENT_OUTPUTS
        else [],
    )
    for group, case in CASES
    if GROUPS[group][case]["inputs"]
]


@cache
def result_of(group: str, case: str) -> Result:
    """Run a case on brickwork."""

    def lookup(name: str) -> Any:
        return next(getattr(p, name) for p in PACKAGES[group] if hasattr(p, name))

    return run(GROUPS[group][case], lookup)


@pytest.mark.parametrize(("group", "case"), CASES)
def test_construction_matches_mmcv(group: str, case: str) -> None:
    result, expected = result_of(group, case), stored_results()[group, case]
    assert result.label == expected.label
    assert list(result.constructed) == list(expected.constructed)
    assert result.frozen == expected.frozen
    for key, value in expected.constructed.items():
        assert_matches_stored(result.constructed[key], value, name=key)


@pytest.mark.parametrize(("group", "case"), INITIALIZED)
def test_initialization_matches_mmcv(group: str, case: str) -> None:
    result, expected = result_of(group, case), stored_results()[group, case]
    assert result.finished is not None
    assert expected.finished is not None
    assert list(result.finished) == list(expected.finished)
    for key, value in expected.finished.items():
        assert_matches_stored(result.finished[key], value, name=key)


@pytest.mark.parametrize(("group", "case"), CALLED)
def test_outputs_match_mmcv(group: str, case: str) -> None:
    result, expected = result_of(group, case), stored_results()[group, case]
    assert len(result.outputs) == len(expected.outputs)
    for i, value in enumerate(expected.outputs):
        assert_matches_stored(result.outputs[i], value, name=f"output {i}", ulps=32)
