"""Run the tests on one version of torch, in an environment of its own.

    hatch run torch:test VERSION [PYTEST OPTION ...]

The build is the package index's default one, several gigabytes with CUDA. The environment is
removed at the end.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = [*sorted(file.parent for file in ROOT.glob("packages/*/pyproject.toml")), ROOT / "meta"]


def requirements(version: str) -> list[str]:
    """Return what the default environment of hatch has, with another torch."""
    environment = tomllib.loads((ROOT / "hatch.toml").read_text())["envs"]["default"]
    others = [text for text in environment["dependencies"] if not text.startswith("torch==")]
    return [f"torch=={version}", *others]


def main(version: str, *options: str) -> int:
    """Install, run the tests except the slow ones and return pytest's exit code."""
    uv = os.environ.get("HATCH_UV") or shutil.which("uv") or "uv"
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        python = environment / "bin" / "python"
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, environment], check=True)
        editable = [word for package in PACKAGES for word in ("--editable", package)]
        install = [uv, "pip", "install", "--quiet", "--python", python]
        subprocess.run([*install, *editable, *requirements(version)], check=True)
        command = [python, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile"]
        command += ["-m", "not slow", *options]
        variables = {**os.environ, "VIRTUAL_ENV": str(environment)}
        return subprocess.run(command, cwd=ROOT, env=variables).returncode


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
