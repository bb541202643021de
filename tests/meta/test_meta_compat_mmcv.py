"""Code that imports mmcv runs as it is, in a fresh interpreter, with and without a real mmcv."""

import os
import pickle
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from brickwork.compat import install
from brickwork.compat.errors import NotCoveredError

INSTALL = "import brickwork.compat.mmcv\nbrickwork.compat.mmcv.install()\n"


def run(code: str, *options: str | Path, **environment: str) -> str:
    command = [sys.executable, *options] if options else [sys.executable, "-c", code]
    done = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def after_install(code: str, **environment: str) -> str:
    return run(INSTALL + textwrap.dedent(code), **environment)


def test_the_usual_imports_are_ours():
    after_install(
        """
        import mmcv, mmcv.cnn, brickwork.cnn, brickwork_layers, brickwork_base
        from mmcv.cnn import ConvModule
        from mmcv.cnn.bricks.registry import NORM_LAYERS
        from mmcv.cnn.utils.weight_init import trunc_normal_, constant_init
        from mmcv.runner import BaseModule, auto_fp16
        from mmcv.runner.base_module import Sequential
        from mmcv.utils import Registry, build_from_cfg, to_2tuple
        from mmcv.utils.parrots_wrapper import _BatchNorm
        assert ConvModule is brickwork.cnn.ConvModule is mmcv.cnn.bricks.ConvModule
        assert NORM_LAYERS is brickwork_layers.NORM_LAYERS
        assert BaseModule is brickwork_base.BaseModule
        assert mmcv.is_list_of([1], int)
        major, minor, *_ = map(int, mmcv.__version__.split("."))
        assert (1, 4) <= (major, minor) <= (1, 7)  # what the gates of downstream packages accept
        """
    )


def test_it_can_be_patched():
    after_install(
        """
        from unittest import mock
        import mmcv.cnn, brickwork.cnn
        real = mmcv.cnn.build_norm_layer
        with mock.patch("mmcv.cnn.build_norm_layer", return_value=7):
            assert mmcv.cnn.build_norm_layer() == 7
            assert brickwork.cnn.build_norm_layer is real
        assert mmcv.cnn.build_norm_layer is real
        """
    )


def test_pickles_that_name_mmcv_load(tmp_path):
    # protocol 0 spells a class as its module and its name
    (tmp_path / "old.pkl").write_bytes(b"cmmcv.cnn.bricks.conv_module\nConvModule\n.")
    after_install(
        f"""
        import pickle, brickwork.cnn
        from mmcv.cnn import ConvModule
        with open({str(tmp_path / "old.pkl")!r}, "rb") as file:
            assert pickle.load(file) is brickwork.cnn.ConvModule
        model = pickle.loads(pickle.dumps(ConvModule(3, 4, 1)))
        assert model.conv.weight.shape == (4, 3, 1, 1)
        """
    )


@pytest.mark.parametrize(
    "statement",
    ["import mmcv.ops", "from mmcv.utils import Config", "from mmcv import imread"],
)
def test_what_is_not_covered_says_so(statement):
    name = {"import mmcv.ops": "mmcv.ops"}.get(statement)
    name = name or "{1}.{3}".format(*statement.split())
    message = after_install(
        f"""
        import mmcv
        try:
            {statement}
        except ImportError as error:
            print(error)
        assert not hasattr(mmcv, "imread")
        """
    )
    assert message.startswith(f"{name} is not covered")
    assert "Install mmcv 1.x" in message


@pytest.fixture
def real_mmcv(tmp_path) -> Path:
    """A folder with what looks like an installed mmcv 1.x."""
    files = {
        "mmcv-1.7.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: mmcv\nVersion: 1.7.1\n",
        "mmcv/__init__.py": "from .utils import *\nfrom .image import imread\n",
        "mmcv/image.py": (
            "from .utils import is_str\ndef imread(path): return 'read', is_str(path)\n"
        ),
        "mmcv/utils/__init__.py": (
            "from .config import Config\nfrom .misc import is_str\nfrom .registry import Registry\n"
        ),
        "mmcv/utils/config.py": "class Config: pass\n",
        "mmcv/utils/misc.py": "raise RuntimeError('ours is used')\n",
        "mmcv/utils/registry.py": "raise RuntimeError('ours is used')\n",
        "mmcv/cnn/__init__.py": "raise RuntimeError('ours is used')\n",
        "mmcv/ops.py": "from mmcv.cnn import CONV_LAYERS\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_real_one_serves_the_rest(real_mmcv):
    after_install(
        """
        import mmcv, brickwork_layers, brickwork_registry
        from mmcv import Config, imread
        from mmcv.utils import Config as same, Registry
        from mmcv.ops import CONV_LAYERS
        assert mmcv.__version__ == "1.7.1"
        assert Config is same and Config.__module__ == "mmcv.utils.config"
        assert imread("x") == ("read", True)
        assert CONV_LAYERS is brickwork_layers.CONV_LAYERS
        assert Registry is brickwork_registry.Registry
        """,
        PYTHONPATH=str(real_mmcv),
    )


def test_a_program_runs_as_it_is(tmp_path):
    helper = tmp_path / "helper.py"
    helper.write_text("from mmcv.utils import to_2tuple\n")
    script = tmp_path / "train.py"
    script.write_text(
        "import subprocess, sys, helper, mmcv.cnn\n"
        "child = 'import mmcv; print(mmcv.__version__)'\n"
        "print(__name__, sys.argv[1:], helper.to_2tuple(3))\n"
        "sys.stdout.flush()\n"
        "subprocess.run([sys.executable, '-c', child], check=True)\n"
    )
    out = run("", "-m", "brickwork.compat.mmcv", script, "--lr", "1")
    assert out.splitlines() == ["__main__ ['--lr', '1'] (3, 3)", "1.7.2"]


def test_the_command_line_asks_for_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "brickwork.compat.mmcv"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "usage: python -m brickwork.compat.mmcv" in done.stderr


def test_the_variable_takes_effect():
    code = "import mmcv; print(mmcv.__version__)"
    site = run("", "-m", "brickwork.compat")
    assert run(code, BRICKWORK_COMPAT="mmcv", PYTHONPATH=site) == "1.7.2"
    assert run(f"import brickwork; {code}", BRICKWORK_COMPAT="mmcv") == "1.7.2"


def test_too_late_is_said():
    assert "imported already" in run(
        "import sys, types\n"
        "sys.modules['mmcv'] = types.ModuleType('mmcv')\n"
        "import brickwork.compat.mmcv\n"
        "try:\n    brickwork.compat.mmcv.install()\n"
        "except RuntimeError as error:\n    print(error)"
    )


def test_uninstalling_gives_the_name_back():
    after_install(
        """
        import importlib.util, mmcv.cnn
        brickwork.compat.mmcv.install()  # twice is once
        brickwork.compat.mmcv.uninstall()
        assert importlib.util.find_spec("mmcv") is None
        """
    )


@pytest.mark.parametrize("names", [("mmdet",), ("mmcv", "mmengine")])
def test_install_takes_one_generation(names):
    with pytest.raises(ValueError, match="one of mmcv, mmengine"):
        install(*names)


def test_the_error_pickles():
    error = NotCoveredError("mmcv.ops", "mmcv", "1.7.2")
    again = pickle.loads(pickle.dumps(error))
    assert (again.name, again.package, str(again)) == ("mmcv.ops", "mmcv", str(error))
