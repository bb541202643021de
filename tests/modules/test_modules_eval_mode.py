"""`eval_mode`: eval mode for the length of a block."""

import pytest
from brickwork_modules import eval_mode
from torch import nn


def modes(module: nn.Module) -> list[bool]:
    return [submodule.training for submodule in module.modules()]


def test_every_submodule_is_in_eval_mode_inside_the_block() -> None:
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm2d(3)))
    with eval_mode(model):
        assert modes(model) == [False, False, False, False]


@pytest.mark.parametrize("error", [None, RuntimeError])
def test_each_module_gets_its_own_mode_back_even_after_an_error(error) -> None:
    model = nn.Sequential(nn.Dropout(), nn.BatchNorm2d(3).eval())
    try:
        with eval_mode(model):
            if error is not None:
                raise error
    except RuntimeError:
        pass
    assert modes(model) == [True, True, False]


def test_overridden_train_method_is_not_called() -> None:
    class Frozen(nn.Dropout):
        def train(self, mode: bool = True) -> nn.Module:
            raise AssertionError("train() must not be called")

    model = nn.Sequential(Frozen())
    with eval_mode(model):
        assert modes(model) == [False, False]
    assert modes(model) == [True, True]
