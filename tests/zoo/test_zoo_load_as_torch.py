"""Comparison of `load_state_dict` with ``nn.Module.load_state_dict`` on random state dicts."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import brickwork_zoo
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn


class Renamed(nn.Linear):
    """Module that renames an old key of its weight."""

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        old = prefix + "kernel"
        if old in state_dict:
            state_dict[prefix + "weight"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)


class Counter(nn.Module):
    """Module with a 0-dimensional parameter, a non-persistent buffer and a parameter None."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.register_buffer("steps", torch.zeros(2))
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
        self.register_parameter("bias", None)


def model() -> nn.Module:
    torch.manual_seed(0)
    inner = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), Counter(), Renamed(3, 2))
    hooked = nn.Linear(2, 2)
    hooked.register_load_state_dict_pre_hook(_rename)
    return nn.ModuleDict({"inner": inner, "hooked": hooked, "norm": nn.BatchNorm1d(2)})


def _rename(module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
    if prefix + "w" in state_dict:
        state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")


NAMES = [
    *model().state_dict(),
    *("inner.3.kernel", "hooked.w", "inner.2.scratch", "inner.2.bias", "inner.9.weight"),
    *("inner", "inner.0", "inner.0.weight.deep", "other", "norm.", ".norm", "", "inner.1.count"),
]


@st.composite
def offers(draw: st.DrawFn) -> dict[str, Tensor]:
    """Draw a state dict with missing, additional and renamed keys and wrong shapes."""
    right = model().state_dict()
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    other = st.sampled_from([(), (1,), (2,), (3,), (2, 2), (2, 3)])
    fits = draw(st.lists(st.booleans(), min_size=len(names), max_size=len(names)))
    offered = {}
    for name, fit in zip(names, fits, strict=True):
        shape = right[name].shape if fit and name in right else draw(other)
        offered[name] = torch.full(tuple(shape), float(len(offered)))
    return offered


@settings(max_examples=300, deadline=None)
@given(offers(), st.booleans())
def test_loaded_missing_and_unexpected_keys_are_those_of_torch(
    offered: dict[str, Tensor], versions: bool
) -> None:
    ours, theirs = model(), model()
    state_dict = OrderedDict(offered)
    state_dict._metadata = theirs.state_dict()._metadata if versions else {}  # type: ignore[attr-defined]
    report = brickwork_zoo.load_state_dict(ours, state_dict, logger="silent", allow_empty=True)
    assert list(state_dict) == list(offered)  # left as it was given
    try:
        result = theirs.load_state_dict(state_dict, strict=False)
    except RuntimeError:  # for other shapes, once all the rest is loaded
        assert report.mismatched
    else:
        assert not report.mismatched
        missing = {k for k in result.missing_keys if not k.endswith("num_batches_tracked")}
        assert set(report.missing) == missing
        # As mmcv, we save buffers that are not persistent, so these keys are expected.
        assert {*report.unexpected, *report.ignored} == set(result.unexpected_keys)
        assert set(report.ignored) <= {"inner.2.scratch"}
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_non_tensor_added_by_a_hook_is_an_unexpected_key() -> None:
    def add(module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: Any) -> None:
        state_dict[prefix + "version"] = 3

    offered = nn.Linear(2, 2).state_dict()
    ours, theirs = nn.Linear(2, 2), nn.Linear(2, 2)
    for target in (ours, theirs):
        target.register_load_state_dict_pre_hook(add)
    report = brickwork_zoo.load_state_dict(ours, offered, logger="silent")
    unexpected = theirs.load_state_dict(offered, strict=False).unexpected_keys
    assert list(report.unexpected) == unexpected == ["version"]
    assert torch.equal(ours.weight, theirs.weight)


@pytest.mark.parametrize(
    "many",
    [
        lambda n: nn.Sequential(*(nn.Linear(1, 1) for _ in range(n))),
        lambda n: nn.Sequential(*(nn.Sequential(nn.BatchNorm1d(1)) for _ in range(n))),
    ],
    ids=["side by side", "each in a module"],
)
def test_planning_takes_linear_time(
    many: Callable[[int], nn.Module],
) -> None:
    def looks(n: int) -> int:
        class Key(str):
            __slots__ = ()

            def partition(self, sep: str) -> tuple[str, str, str]:
                nonlocal count
                count += 1
                return str.partition(self, sep)

            def startswith(self, *args: Any) -> bool:
                nonlocal count
                count += 1
                return str.startswith(self, *args)

            def __getitem__(self, key: Any) -> str:
                return Key(str.__getitem__(self, key))

        count = 0
        target = many(n)
        offered = {Key(key): value for key, value in target.state_dict().items()}
        brickwork_zoo.load_state_dict(target, offered, strict=True)
        return count

    assert looks(400) <= 4.2 * looks(100)
