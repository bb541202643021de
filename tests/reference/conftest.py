"""Hold our bricks against what mmcv 1.7.2 did, as `make_mmcv_reference.py` stored it."""

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

Lookup = Callable[[str], Any]

HERE = Path(__file__).parent


def _load(name: str) -> ModuleType:
    """Import a file of this folder; pytest's import mode puts no folder on the path."""
    full_name = f"brickwork_reference_{name}"
    spec = importlib.util.spec_from_file_location(full_name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[full_name] = module
    spec.loader.exec_module(module)
    return module


TABLE = _load("cases")
CASES = TABLE.GROUPS
RUNNING = _load("running")


class Reference:
    """The stored results of the original, and ours beside them.

    Args:
        index: What is stored, by group and case.
        values: All numbers, in the order of the index.
    """

    def __init__(self, index: dict[str, Any], values: np.ndarray) -> None:
        self.made_with = index.pop("made_with")
        # The draws of a seed depend on the width of the processor's vectors, nothing else here.
        self.exact = self.made_with["cpu_capability"] == torch.backends.cpu.get_cpu_capability()
        self._stored: dict[tuple[str, str], Any] = {}
        self._ours: dict[tuple[str, str], Any] = {}
        rest = torch.from_numpy(values)
        for group, rows in index.items():
            for name, row in rows.items():
                state = row.get("state", {})
                shapes = [*state.values()] * (2 if "finished" in row else 1)
                shapes += row.get("outputs", [])
                sizes = [int(np.prod(shape)) for shape in shapes]
                taken, rest = rest[: sum(sizes)], rest[sum(sizes) :]
                tensors = [
                    one.view(shape) for one, shape in zip(taken.split(sizes), shapes, strict=True)
                ]
                count = len(state)
                finished = tensors[count : 2 * count] if "finished" in row else []
                self._stored[group, name] = RUNNING.Result(
                    label=row.get("label", ""),
                    frozen=row.get("frozen", []),
                    constructed=dict(zip(state, tensors[:count], strict=True)),
                    finished=dict(zip(state, finished, strict=False)) if finished else None,
                    outputs=tensors[len(shapes) - len(row.get("outputs", [])) :],
                )

    def check_construction(self, group: str, name: str, lookup: Lookup) -> None:
        """Same name, same keys in the same order, same trainable parameters, same values."""
        stored, ours = self._both(group, name, lookup)
        assert ours.label == stored.label
        assert list(ours.constructed) == list(stored.constructed)
        assert ours.frozen == stored.frozen
        self._compare(ours.constructed, stored.constructed)

    def check_initialisation(self, group: str, name: str, lookup: Lookup) -> None:
        """Same values after the initialisers."""
        stored, ours = self._both(group, name, lookup)
        assert list(ours.finished or {}) == list(stored.finished or {})
        self._compare(ours.finished or {}, stored.finished or {})

    def check_outputs(self, group: str, name: str, lookup: Lookup) -> None:
        """Same outputs for the same weights and inputs, up to rounding."""
        stored, ours = self._both(group, name, lookup)
        assert len(ours.outputs) == len(stored.outputs)
        for our, their in zip(ours.outputs, stored.outputs, strict=True):
            torch.testing.assert_close(our.float(), their, rtol=1e-6, atol=2e-6)

    def _both(self, group: str, name: str, lookup: Lookup) -> tuple[Any, Any]:
        key = group, name
        if key not in self._ours:
            self._ours[key] = RUNNING.run(CASES[group][name], lookup)
        return self._stored[key], self._ours[key]

    def _compare(self, ours: dict[str, Any], stored: dict[str, Any]) -> None:
        for key, their in stored.items():
            our = ours[key].float()
            if self.exact:
                torch.testing.assert_close(our, their, rtol=0, atol=0, msg=_about(key))
            else:
                torch.testing.assert_close(our, their, rtol=1e-6, atol=1e-7, msg=_about(key))


def _about(key: str) -> Callable[[str], str]:
    return lambda message: f"{key}: {message}"


@pytest.fixture(scope="session")
def reference() -> Reference:
    """The stored results."""
    index = json.loads((HERE / "mmcv_1_7_2.json").read_text())
    with np.load(HERE / "mmcv_1_7_2.npz") as stored:
        return Reference(index, stored["values"])


@pytest.fixture
def lookup(request: pytest.FixtureRequest) -> Lookup:
    """From a bare name to our class or function: in the PLACES of the test's module."""
    places = request.module.PLACES
    return lambda name: next(getattr(place, name) for place in places if hasattr(place, name))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `case` with every case of its module's GROUP.

    One that ends in ``initialisation`` or ``outputs`` gets those that have any.
    """
    if "case" not in metafunc.fixturenames:
        return
    needs = {"test_initialisation": "then", "test_outputs": "inputs"}.get(
        metafunc.function.__name__
    )
    cases = CASES[metafunc.module.GROUP]
    names = [name for name, case in cases.items() if needs is None or case[needs]]
    if needs == "inputs":
        different = TABLE.DIFFERENT_OUTPUTS
        names = [
            pytest.param(name, marks=pytest.mark.xfail(reason=different[name], strict=True))
            if name in different
            else name
            for name in names
        ]
    metafunc.parametrize("case", names)
