"""Program that updates the README's tables of packages and of the comparison with mmcv.

    hatch run readme

Versions and sizes come from the wheels that it builds, the comparison from
`docs/_static/benchmarks.json`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from benchmarks import comparison

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def wheels() -> dict[str, str]:
    """Build every wheel and return the cells of version and size by package."""
    cells = {}
    with tempfile.TemporaryDirectory() as folder:
        projects = sorted(file.parent for file in ROOT.glob("packages/*/pyproject.toml"))
        for project in (*projects, ROOT / "meta"):
            command = (os.environ.get("HATCH_UV", "uv"), "build", "--quiet", "--wheel")
            subprocess.run([*command, "--out-dir", folder, project], check=True)
        for wheel in Path(folder).glob("*.whl"):
            name, version, *_ = wheel.name.split("-")
            cells[name.replace("_", "-")] = f"{version} | {wheel.stat().st_size / 1e3:.0f} kB"
    return cells


def main() -> None:
    cells = wheels()
    data = json.loads((ROOT / "docs" / "_static" / "benchmarks.json").read_text(encoding="utf-8"))
    table = "\n".join(comparison(data))
    text = README.read_text(encoding="utf-8")
    text = re.sub(
        r"^(\| \[`(.*?)`\].*?\|.*?\| ).*$",
        lambda row: f"{row[1]}{cells[row[2]]} |",
        text,
        flags=re.MULTILINE,
    )
    text = re.sub(
        "(?<=<!-- comparison -->\n).*?(?=\n<!-- end -->)",
        lambda _: f"\n{table}\n",
        text,
        flags=re.DOTALL,
    )
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
