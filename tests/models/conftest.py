"""Helpers of the tests of networks: what other libraries' networks are, stored once."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REFERENCE = Path(__file__).parent / "reference"


def read(name: str) -> dict[str, Any]:
    return json.loads(gzip.decompress((REFERENCE / name).read_bytes()))


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """The module ``reference/cases.py``."""
    return load_cases()


def load_cases() -> ModuleType:
    name = "models_reference_cases"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, REFERENCE / "cases.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def networks() -> dict[str, Any]:
    """Keys, shapes and outputs of torchvision's and timm's networks."""
    return read("networks.json.gz")["networks"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = load_cases().CASES
        metafunc.parametrize("case", cases, ids=[f"{c.library}-{c.theirs}" for c in cases])
    if "checkpoint_name" in metafunc.fixturenames:
        metafunc.parametrize("checkpoint_name", read("openmmlab_keys.json.gz"))


@pytest.fixture(scope="session")
def openmmlab_keys() -> dict[str, dict[str, list[int]]]:
    """Keys and shapes of OpenMMLab's backbones by the zoo's names."""
    return read("openmmlab_keys.json.gz")
