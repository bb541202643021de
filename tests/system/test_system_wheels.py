"""Wheels: contents, metadata, and each installed alone with what it declares."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.repository import DISTRIBUTIONS

TORCHLESS = ("brickwork-registry", "brickwork-zoo")


def run(*command: str | Path, cwd: Path | None = None) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        # each environment is used once: compiling all of torch for it would cost more than it saves
        if name not in ("UV_COMPILE_BYTECODE", "VIRTUAL_ENV", "PYTHONPATH")
    }
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def dist(uv, distributions, tmp_path_factory) -> Path:
    """Return a folder with the sdist of every distribution and the wheel built from it."""
    folder = tmp_path_factory.mktemp("dist")
    for distribution in distributions.values():
        run(uv, "build", "--quiet", "--out-dir", folder, distribution.folder)
    return folder


@pytest.fixture
def wheel(distribution, dist) -> zipfile.ZipFile:
    name = distribution.name.replace("-", "_")
    with zipfile.ZipFile(dist / f"{name}-{distribution.version}-py3-none-any.whl") as file:
        yield file


@pytest.fixture
def python(distribution, distributions, dist, uv, tmp_path) -> Path:
    """Return the interpreter of a fresh environment with one distribution."""
    environment = tmp_path / "environment"
    run(uv, "venv", "--quiet", "--no-config", "--python", sys.executable, environment)
    interpreter = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    constraints = tmp_path / "constraints.txt"
    # the torch that the tests run on: an open range may fetch gigabytes of another build
    constraints.write_text(f"torch=={importlib.metadata.version('torch').partition('+')[0]}\n")
    links = [dist, *os.environ.get("UV_FIND_LINKS", os.environ.get("PIP_FIND_LINKS", "")).split()]
    run(
        *(uv, "pip", "install", "--quiet", "--python", interpreter, "--constraint", constraints),
        *(f"--find-links={link}" for link in links),
        # uv caches wheels by file name, and these are built anew under the same one
        *(f"--refresh-package={name}" for name in distributions),
        *(f"--reinstall-package={name}" for name in distributions),
        f"{distribution.name}=={distribution.version}",
    )
    return interpreter


def needed(distribution, distributions) -> set[str]:
    """Return the distribution and every sibling that it depends on."""
    names, todo = set(), [distribution.name]
    while todo:
        name = todo.pop()
        if name in names:
            continue
        names.add(name)
        todo.extend(distributions[name].siblings)
        if any("[torch]" in r for r in distributions[name].siblings.values()):
            todo.extend(distributions["brickwork-zoo"].extra_siblings)
    return names


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_wheel_contains_exactly_the_package(distribution, wheel):
    names = set(wheel.namelist())
    package = distribution.import_name
    info = f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info"
    assert {name.split("/")[0] for name in names} == {package, info}
    assert f"{package}/py.typed" in names
    assert f"{info}/licenses/LICENSE" in names
    assert not [name for name in names if re.search(r"tests?/|test_|conftest|__pycache__", name)]
    source = {
        str(file.relative_to(distribution.package.parent))
        for file in distribution.package.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert {name for name in names if name.startswith(f"{package}/")} == source


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_readme_states_the_size_of_the_wheel(distribution, dist, root):
    """To 10 %; `hatch run readme` updates it."""
    row = re.search(rf"^\| \[`{distribution.name}`\].*$", (root / "README.md").read_text(), re.M)[0]
    stated = int(re.search(r"(\d+) kB \|$", row)[1]) * 1e3
    name = f"{distribution.name.replace('-', '_')}-{distribution.version}-py3-none-any.whl"
    assert stated == pytest.approx((dist / name).stat().st_size, rel=0.1, abs=1e3)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_wheel_metadata_is_complete(distribution, wheel):
    info = f"{distribution.name.replace('-', '_')}-{distribution.version}.dist-info"
    metadata = wheel.read(f"{info}/METADATA").decode()
    assert f"\nName: {distribution.name}\n" in metadata
    assert f"\nVersion: {distribution.version}\n" in metadata
    assert "\nLicense-Expression: Apache-2.0\n" in metadata
    for link in ("Documentation", "Source", "Changelog"):
        assert f"\nProject-URL: {link}, https://" in metadata
    assert (distribution.folder / "README.md").read_text().strip() in metadata


@pytest.mark.slow
@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=str)
def test_wheel_installs_alone_and_works(distribution, distributions, uv, python, tmp_path):
    run(uv, "pip", "check", "--python", python)
    installed = {
        entry["name"]
        for entry in json.loads(run(uv, "pip", "list", "--format=json", "--python", python))
    }
    siblings = {name for name in installed if name.startswith("brickwork")}
    assert siblings == needed(distribution, distributions)
    assert ("torch" in installed) == (distribution.name not in TORCHLESS)
    if distribution.name == "brickwork-registry":
        assert installed == {"brickwork-registry"}

    # without NumPy, which torch only recommends, torch says so
    warnings = ("-W", "error", "-W", "ignore:Failed to initialize NumPy")
    # -I: without this folder, user packages and environment variables
    imported = run(
        *(python, "-I", *warnings, "-c"),
        f"import {distribution.import_name} as package; print(package.__version__)",
        cwd=tmp_path,
    )
    assert imported.strip() == distribution.version

    example = tmp_path / "example.py"
    readme = (distribution.folder / "README.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    assert blocks, f"the README of {distribution.name} shows no example"
    example.write_text(blocks[0])
    run(python, "-I", *warnings, example, cwd=tmp_path)


@pytest.mark.parametrize("name", TORCHLESS)
def test_import_loads_only_the_standard_library(name, distributions):
    """Neither torch nor any other package is imported, even if it is installed."""
    package = distributions[name].import_name
    code = (
        "import sys; before = set(sys.modules);"
        f"import {package};"
        "tops = {module.partition('.')[0] for module in set(sys.modules) - before};"
        f"foreign = sorted(tops - sys.stdlib_module_names - {{{package!r}}});"
        "sys.exit(f'{foreign}' if foreign else 0)"
    )
    run(sys.executable, "-I", "-c", code)
