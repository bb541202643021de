"""Fixtures of the tests that span packages."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.repository import DISTRIBUTIONS, ROOT, Distribution


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def distributions() -> dict[str, Distribution]:
    """Return every distribution by its name."""
    return DISTRIBUTIONS


@pytest.fixture(scope="session")
def uv() -> str:
    """Return the path of uv, which hatch installs."""
    program = os.environ.get("HATCH_UV") or shutil.which("uv")
    if not program:
        pytest.fail(
            "uv not found; run the tests with `hatch run test`, which installs it, or install uv"
        )
    return program
