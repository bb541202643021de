"""Each row of docs/faults.md is backed by a test that exists."""

import re

import pytest

from tests.support.repository import ROOT

ROWS = [
    line
    for line in (ROOT / "docs" / "faults.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| fault |")
]


@pytest.fixture(scope="module")
def existing_tests() -> set[str]:
    sources = (ROOT / "tests").rglob("test_*.py")
    return {name for s in sources for name in re.findall(r"^def (test_\w+)", s.read_text(), re.M)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_row_names_existing_tests(row, existing_tests):
    names = re.findall(r"`(test_\w+)`", row.rsplit("|", 2)[1])
    assert names
    assert set(names) <= existing_tests
