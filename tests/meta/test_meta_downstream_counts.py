"""The documentation states the counts written by the downstream comparison."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = json.loads((ROOT / "docs" / "_static" / "downstream.json").read_text())


@pytest.mark.parametrize("package", ["mmcls", "mmpretrain"])
def test_migration_guide_states_the_counts(package):
    row = re.search(rf"^\| {package} .*$", (ROOT / "docs" / "migration.md").read_text(), re.M)
    stated = [int(cell) for cell in row[0].split("|") if cell.strip().isdigit()]
    counts = [COUNTS[package][kind] for kind in ("backbones", "necks")]
    assert stated == [kind[key] for kind in counts for key in ("there", "agree", "same_bits")]


@pytest.mark.parametrize("package", ["mmcls", "mmpretrain"])
def test_readme_states_the_counts(package):
    row = re.search(rf"^\| {package} .*$", (ROOT / "README.md").read_text(), re.M)
    counts = COUNTS[package]["backbones"]
    stated = [int(number) for number in re.findall(r"\| (\d+)", row[0])]
    assert stated == [counts[key] for key in ("there", "agree", "same_bits")]


@pytest.mark.parametrize("package", ["mmseg", "mmpose", "mmaction"])
def test_migration_guide_states_the_counts_of_every_part(package):
    row = re.search(rf"^\| {package} .*$", (ROOT / "docs" / "migration.md").read_text(), re.M)
    stated = [int(cell) for cell in row[0].split("|") if cell.strip().isdigit()]
    counts = [COUNTS[package][kind] for kind in ("backbones", "necks", "heads")]
    assert stated == [count[name] for count in counts for name in ("there", "agree", "same_bits")]
