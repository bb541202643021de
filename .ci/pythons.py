"""Run the tests of registry and zoo without torch on each supported Python that is installed.

    hatch run py:test [PYTEST OPTION ...]

A Python is found on the PATH as `python3.12` or in pyenv. The result names those that are skipped.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
PACKAGES = ("registry", "zoo")
TOOLS = ("pytest>=8", "pytest-xdist>=3.6", "hypothesis>=6.100", "rich>=13", "fsspec>=2024.6")


def find_python(version: str) -> str | None:
    """Return the path of an interpreter of a version, or None."""
    candidates = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    on_path = shutil.which(f"python{version}")
    for candidate in [*([on_path] if on_path else []), *map(str, candidates)]:
        check = f"import sys; assert '%d.%d' % sys.version_info[:2] == '{version}'"
        if subprocess.run([candidate, "-c", check], capture_output=True).returncode == 0:
            return candidate
    return None


def test_files() -> list[Path]:
    """Return the test files of the packages, without those that import torch at their top."""
    files = [file for name in PACKAGES for file in sorted(ROOT.glob(f"tests/{name}/test_*.py"))]
    imports_torch = re.compile(r"^(import|from) (torch|safetensors)\b", re.MULTILINE)
    return [file for file in files if not imports_torch.search(file.read_text(encoding="utf-8"))]


def test_python(python: str, folder: Path, options: list[str]) -> int:
    """Run the tests in a fresh environment and return pytest's exit code."""
    uv = os.environ.get("HATCH_UV") or shutil.which("uv") or "uv"
    subprocess.run([uv, "venv", "--quiet", "--python", python, folder], check=True)
    packages = [word for name in PACKAGES for word in ("--editable", ROOT / "packages" / name)]
    install = [uv, "pip", "install", "--quiet", "--python", folder / "bin" / "python"]
    subprocess.run([*install, *packages, *TOOLS], check=True)
    command = [folder / "bin" / "python", "-m", "pytest", "-q", *test_files(), *options]
    return subprocess.run(command, cwd=ROOT).returncode


def main() -> int:
    """Run the tests on every Python and return the number of those that failed."""
    results = {}
    for version in PYTHONS:
        python = find_python(version)
        if python is None:
            results[version] = "skipped: not installed"
            continue
        print(f"== Python {version}: {python}", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            code = test_python(python, Path(folder) / "environment", sys.argv[1:])
        results[version] = "passed" if code == 0 else f"failed with exit code {code}"
    for version, result in results.items():
        print(f"Python {version}: {result}")
    return sum(result.startswith("failed") for result in results.values())


if __name__ == "__main__":
    sys.exit(main())
