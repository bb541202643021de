"""`brickwork.runner.hooks`: the base class that downstream hooks use."""

from types import SimpleNamespace

import pytest
from brickwork.runner import HOOKS, Hook


def test_stages_of_a_hook_are_those_whose_methods_it_overrides():
    class Own(Hook):
        def after_run(self, runner): ...
        def before_iter(self, runner): ...

    assert Own().get_triggered_stages() == ["before_train_iter", "before_val_iter", "after_run"]
    assert Hook().get_triggered_stages() == []


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("phase", ["train", "val"])
@pytest.mark.parametrize("unit", ["epoch", "iter"])
def test_specific_method_calls_the_general_one(moment, phase, unit):
    calls = []
    hook = Hook()
    setattr(hook, f"{moment}_{unit}", calls.append)
    getattr(hook, f"{moment}_{phase}_{unit}")("runner")
    assert calls == ["runner"]


def test_intervals_count_from_one():
    runner = SimpleNamespace(
        epoch=3, iter=5, inner_iter=1, data_loader=[0, 1], _max_epochs=4, _max_iters=7
    )
    hook = Hook()
    assert [hook.every_n_epochs(runner, n) for n in (-1, 0, 2, 3)] == [False, False, True, False]
    assert [hook.every_n_iters(runner, n) for n in (2, 4)] == [True, False]
    assert [hook.every_n_inner_iters(runner, n) for n in (2, 4)] == [True, False]
    assert hook.end_of_epoch(runner)
    assert hook.is_last_epoch(runner)
    assert not hook.is_last_iter(runner)


def test_hooks_are_registered_by_name():
    @HOOKS.register_module()
    class OwnTestHook(Hook): ...

    assert isinstance(HOOKS.build({"type": "OwnTestHook"}), OwnTestHook)
    del HOOKS.module_dict["OwnTestHook"]
