"""The examples in the docstrings."""

import doctest
import importlib
import pkgutil

import brickwork_modules
import pytest
import torch
from torch import nn

NAMES = [
    info.name
    for info in pkgutil.walk_packages(brickwork_modules.__path__, "brickwork_modules.")
    if not info.ispkg
]


@pytest.mark.parametrize("name", NAMES)
def test_docstring_examples_give_their_output(name: str) -> None:
    module = importlib.import_module(name)
    result = doctest.testmod(module, extraglobs={"torch": torch, "nn": nn})
    assert result.failed == 0
