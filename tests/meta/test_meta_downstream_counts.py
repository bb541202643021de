"""The documentation states the counts that the downstream comparison wrote, and no others."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = json.loads((ROOT / "docs" / "_static" / "downstream.json").read_text())


@pytest.mark.parametrize("package", ["mmcls", "mmpretrain"])
def test_the_migration_guide_states_what_was_counted(package):
    row = re.search(rf"^\| {package} .*$", (ROOT / "docs" / "migration.md").read_text(), re.M)
    stated = [int(cell) for cell in row[0].split("|") if cell.strip().isdigit()]
    found = [COUNTS[package][kind] for kind in ("backbones", "necks")]
    assert stated == [one[what] for one in found for what in ("there", "agree", "same_bits")]


@pytest.mark.parametrize("package", ["mmcls", "mmpretrain"])
def test_the_readme_states_what_was_counted(package):
    row = re.search(rf"^\| {package} .*$", (ROOT / "README.md").read_text(), re.M)
    found = COUNTS[package]["backbones"]
    stated = [int(number) for number in re.findall(r"\| (\d+)", row[0])]
    assert stated == [found[what] for what in ("there", "agree", "same_bits")]
