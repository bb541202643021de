"""A model sharded over real processes gets the values that one process draws."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
import torch

from tests.init.sharded_worker import build

WORKER = Path(__file__).with_name("sharded_worker.py")


LAYOUTS = {
    1: ["plain"],
    2: ["plain", "meta", "deferred", "loaded"],
    4: ["plain", "replicas", "parallel", "parallel deferred"],
}

Results = dict[str, tuple[dict[str, torch.Tensor], dict[str, str]]]


@pytest.fixture(scope="module", params=LAYOUTS)
def results(
    request: pytest.FixtureRequest,
    run_together: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Results]:
    """Return the results of each process for models built in each way."""
    result = tmp_path_factory.mktemp("sharded") / "result"
    run_together(request.param, WORKER, result, *LAYOUTS[request.param])
    return [torch.load(f"{result}.{rank}", weights_only=True) for rank in range(request.param)]


@pytest.fixture(scope="module")
def alone() -> dict[str, torch.Tensor]:
    """Return the values of a single process without sharding."""
    model = build()
    torch.manual_seed(3)
    model.init_weights()
    return {**model.state_dict(), "steps": torch.arange(4)}


def test_shards_hold_the_values_of_a_single_process(
    results: list[Results], alone: dict[str, torch.Tensor]
) -> None:
    for layout, (state, kinds) in chain.from_iterable(rank.items() for rank in results):
        assert state.keys() == alone.keys()
        assert kinds["0.head.weight"] == kinds["1.head.bias"] == "code"
        if layout == "loaded":  # before the model was sharded
            assert (state["0.conv.weight"] == 1).all()
            assert kinds["0.conv.bias"] == "loaded"
            continue
        assert kinds["0.conv.weight"] == "rule"
        for name, value in alone.items():
            assert torch.equal(state[name], value), (layout, name)
