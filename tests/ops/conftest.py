"""The operators beside what mmcv's compiled ones computed."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

HERE = Path(__file__).parent / "reference"


def _load_cases() -> ModuleType:
    """Import the cases; pytest's import mode puts no folder on the path."""
    name = "brickwork_ops_reference_cases"
    spec = importlib.util.spec_from_file_location(name, HERE / "cases.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


CASES = _load_cases().CASES


@pytest.fixture(scope="session")
def stored_results() -> dict[str, dict[str, np.ndarray]]:
    """The results of mmcv 1.7.2, by case and part."""
    results: dict[str, dict[str, np.ndarray]] = {name: {} for name in CASES}
    with np.load(HERE / "mmcv_ops_1_7_2.npz") as file:
        for key in file.files:
            case, _, part = key.rpartition(":")
            results[case][part] = file[key]
    return results


@pytest.fixture(params=CASES)
def reference_case(request: pytest.FixtureRequest) -> tuple[str, object]:
    return request.param, CASES[request.param]
