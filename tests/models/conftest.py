"""Helpers of the tests of networks: what other libraries' networks are, stored once."""

from __future__ import annotations

import gzip
import importlib.util
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

REFERENCE = Path(__file__).parent / "reference"


@cache
def read(name: str) -> dict[str, Any]:
    data = (REFERENCE / name).read_bytes()
    return json.loads(gzip.decompress(data) if name.endswith(".gz") else data)


@cache
def load_cases() -> ModuleType:
    name = "models_reference_cases"
    spec = importlib.util.spec_from_file_location(name, REFERENCE / "cases.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    """The module ``reference/cases.py``."""
    return load_cases()


@pytest.fixture(scope="session")
def networks() -> Callable[[str], dict[str, Any]]:
    """Give what is stored of a network: by ``library-name``, or by the checkpoint's URI."""
    return stored().__getitem__


@cache
def stored() -> dict[str, Any]:
    return read("openmmlab.json.gz") | read("networks.json.gz")["networks"]


def with_fact(fact: str) -> list[str]:
    return [uri for uri, facts in read("openmmlab.json.gz").items() if facts.get(fact)]


@pytest.fixture
def published(torchvision_uri: str) -> dict[str, Any]:
    """What torchvision publishes of its weights."""
    return read("torchvision_weights.json")[torchvision_uri]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for fixture, values in (
        ("case", lambda: load_cases().CASES),
        ("measured", lambda: [case for case in load_cases().CASES if stored()[str(case)]["out"]]),
        ("checkpoint_uri", lambda: read("openmmlab.json.gz")),
        ("drawn_uri", lambda: with_fact("initialised")),
        ("pictured_uri", lambda: [uri for uri in with_fact("images") if "://" in uri]),
        ("torchvision_uri", lambda: read("torchvision_weights.json")),
    ):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, values(), ids=str)
