"""Stored values are compared loosely enough for other processors and sharply enough for errors."""

import math

import pytest
import torch
from torch import Tensor

from tests.reference.stored import stored_results
from tests.support.tensors import assert_matches_stored

SHAPE = (4, 3, 3, 3)
FAN_IN, FAN_OUT = 27, 36


def kaiming(*, gain: float = math.sqrt(2), fan: int = FAN_OUT, skipped_draws: int = 0) -> Tensor:
    """Draw what mmcv's ``kaiming_init(nn.Conv2d(3, 4, 3))`` draws, from its formula."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        torch.rand(skipped_draws)
        return torch.empty(SHAPE).normal_(0, gain / math.sqrt(fan))


def uniform(*, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Draw what mmcv's ``uniform_init(nn.Conv2d(3, 4, 3))`` draws."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return torch.empty(SHAPE).uniform_(low, high)


def stored_weight(case: str) -> Tensor:
    state = stored_results()["init", case].finished
    assert state is not None
    return state["weight"]


def last_bits_changed(values: Tensor) -> Tensor:
    """Return values that another processor may draw: two units in the last place of the largest."""
    return values + 2 * torch.finfo(torch.float32).eps * values.abs().max()


def test_formula_matches_the_stored_values():
    assert_matches_stored(kaiming(), stored_weight("kaiming_init-0-conv"))
    assert_matches_stored(uniform(), stored_weight("uniform_init-0-conv"))


def test_other_last_bits_match_the_stored_values():
    assert_matches_stored(last_bits_changed(kaiming()), stored_weight("kaiming_init-0-conv"))
    assert_matches_stored(last_bits_changed(uniform()), stored_weight("uniform_init-0-conv"))


@pytest.mark.parametrize(
    ("case", "values"),
    [
        pytest.param("kaiming_init-0-conv", kaiming(gain=1.0001 * math.sqrt(2)), id="gain"),
        pytest.param("kaiming_init-0-conv", kaiming(fan=FAN_IN), id="fan"),
        pytest.param("kaiming_init-0-conv", kaiming(skipped_draws=1), id="order of draws"),
        pytest.param("uniform_init-0-conv", uniform(high=1.0001), id="upper bound"),
        pytest.param("uniform_init-0-conv", uniform(low=-0.0001), id="lower bound"),
    ],
)
def test_wrong_rule_does_not_match_the_stored_values(case, values):
    with pytest.raises(AssertionError, match="Tensor-likes are not close"):
        assert_matches_stored(values, stored_weight(case))


@pytest.mark.parametrize("stored", [torch.arange(4.0), torch.full((4,), 0.1)])
def test_integers_and_constants_are_compared_exactly(stored):
    assert_matches_stored(stored, stored)
    with pytest.raises(AssertionError, match="Tensor-likes are not"):
        assert_matches_stored(torch.nextafter(stored, torch.tensor(9.0)), stored)
