"""Each error of docs/errors.md is reproduced, and ended by what the page says."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.python import python_result, run_python
from tests.support.repository import ROOT

PAGE = (ROOT / "docs" / "errors.md").read_text()

# What looks like an installed mmcv 2.x, and like an mmcv 1.x without compiled operators.
MMCV_2 = {"__init__.py": "__version__ = '2.1.0'\n", "version.py": "__version__ = '2.1.0'\n"}
MMCV_1 = {
    "__init__.py": "__version__ = '1.7.2'\n",
    "version.py": "__version__ = '1.7.2'\n",
    "ops/__init__.py": "from .nms import nms\n",
    "ops/nms.py": (
        "from mmcv.utils import ext_loader\n"
        "ext_module = ext_loader.load_ext('_ext', ['nms'])\n"
        "def nms(*args): return ext_module.nms(*args)\n"
    ),
    "cnn/__init__.py": "CONV_LAYERS = {}\n",
    "utils/__init__.py": (
        "from . import ext_loader\n"
        "def build_from_cfg(cfg, registry):\n"
        "    if cfg['type'] not in registry:\n"
        "        raise KeyError(f\"{cfg['type']} is not in the conv layer registry\")\n"
    ),
    "utils/ext_loader.py": (
        "import importlib\n"
        "def load_ext(name, funcs): return importlib.import_module('mmcv.' + name)\n"
    ),
}
GATE = """
from mmcv import __version__
from packaging.version import Version
assert Version("1.3.8") <= Version(__version__) <= Version("1.7.0"), (
    f"MMCV=={__version__} is used but incompatible. Please install mmcv>=1.3.8, <=1.7.0."
)
"""
CONFIG = "cfg = {}.fromfile(__file__.replace('train.py', 'config.py'))\nprint(cfg.model.type)\n"


@pytest.fixture
def install(tmp_path):
    """Put a package `mmcv` of some files on the path, and return the variables that do so."""

    def write(files: dict[str, str]) -> dict[str, str]:
        for name, text in files.items():
            path: Path = tmp_path / "site" / "mmcv" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return {"PYTHONPATH": str(tmp_path / "site")}

    return write


@pytest.mark.parametrize(
    ("files", "program", "message"),
    [
        (
            MMCV_2,
            "from mmcv.runner import BaseModule",
            "ModuleNotFoundError: No module named 'mmcv.runner'",
        ),
        (
            MMCV_2,
            "from mmcv.parallel import MMDataParallel",
            "ModuleNotFoundError: No module named 'mmcv.parallel'",
        ),
        (
            MMCV_2,
            "from mmcv import Config\n" + CONFIG.format("Config"),
            "ImportError: cannot import name 'Config' from 'mmcv'",
        ),
        (
            MMCV_2,
            "import mmcv\n" + CONFIG.format("mmcv.Config"),
            "AttributeError: module 'mmcv' has no attribute 'Config'",
        ),
        (
            MMCV_1,
            "from mmcv.ops import nms",
            "ModuleNotFoundError: No module named 'mmcv._ext'",
        ),
        (
            MMCV_1,
            "from mmcv.utils import build_from_cfg\n"
            "from mmcv.cnn import CONV_LAYERS\n"
            "config = dict(type='DCNv2', in_channels=4, out_channels=4, kernel_size=3)\n"
            "build_from_cfg(config, CONV_LAYERS)\n",
            "KeyError: 'DCNv2 is not in the conv layer registry'",
        ),
    ],
)
def test_error_is_ended_by_the_shim(install, tmp_path, files, program, message):
    variables = install(files)
    script = tmp_path / "train.py"
    script.write_text(program)
    (tmp_path / "config.py").write_text("model = dict(type='ResNet')\n")
    assert f"`{message}`" in PAGE
    assert message in python_result(script, **variables).stderr
    printed = run_python("-m", "brickwork.compat.mmcv", script, **variables)
    assert printed == ("ResNet" if "Config" in message else "")


def test_version_gate_is_ended_by_the_version_option(install, tmp_path):
    variables = install(MMCV_1)
    script = tmp_path / "train.py"
    script.write_text(GATE)
    message = (
        "AssertionError: MMCV==1.7.2 is used but incompatible. Please install mmcv>=1.3.8, <=1.7.0."
    )
    assert f"`{message}`" in PAGE
    assert message in python_result(script, **variables).stderr
    run_python("-m", "brickwork.compat.mmcv", "--version", "1.7.0", script, **variables)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "import sys; sys.modules['mmengine'] = None\n"
            "from mmcv import Config\nConfig.fromfile('config.py')\n",
            "NotCoveredError: mmcv.utils.config.Config (imported at {}:2) is a placeholder",
        ),
        (
            "from mmcv.runner import EpochBasedRunner\nEpochBasedRunner(None)\n",
            "NotCoveredError: mmcv.runner.epoch_based_runner.EpochBasedRunner (imported at {}:1)"
            " is a placeholder",
        ),
    ],
)
def test_use_of_a_placeholder_says_what_provides_it(tmp_path, program, message):
    script = tmp_path / "train.py"
    script.write_text(program)
    result = python_result("-m", "brickwork.compat.mmcv", script)
    assert message.format(script) in result.stderr
    assert message.replace("{}:2", "...").replace("{}:1", "...") in PAGE


@pytest.mark.slow
def test_build_of_mmcv_fails_and_is_not_needed(tmp_path):
    uv = os.environ.get("HATCH_UV") or shutil.which("uv")
    assert uv, "run the tests with `hatch run test-all`, which brings uv"
    subprocess.run([uv, "venv", tmp_path / "environment"], check=True, capture_output=True)
    # without the cache, which may hold a wheel that was built with an old setuptools
    install = [uv, "pip", "install", "--no-cache", "--python", tmp_path / "environment"]
    result = subprocess.run(
        [*install, "--no-deps", "mmcv==1.7.2"],
        capture_output=True,
        encoding="utf-8",
    )
    assert result.returncode != 0
    assert "No module named 'pkg_resources'" in result.stderr
    assert "No module named 'pkg_resources'" in PAGE
    run_python("-m", "brickwork.compat.mmcv", "-c", "from mmcv.cnn import ConvModule")
