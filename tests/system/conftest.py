"""Fixtures of the tests that span packages."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.repository import DISTRIBUTIONS, ROOT, Distribution


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def distributions() -> dict[str, Distribution]:
    """Every distribution by its name."""
    return DISTRIBUTIONS


@pytest.fixture(scope="session")
def uv() -> str:
    """The installer that hatch brought along."""
    program = os.environ.get("HATCH_UV") or shutil.which("uv")
    if not program:
        pytest.fail("no uv: run the tests with `hatch run test`, which brings it, or install uv")
    return program
