"""Code for mmcv 1.x runs unchanged, in a fresh interpreter, where no mmcv is installed."""

import json
import pickle
from pathlib import Path

import pytest
from brickwork.compat import NotCoveredError, install
from packaging.version import Version

from tests.support.compat import after_mmcv
from tests.support.python import run_python

EXPORTS = json.loads(Path(__file__).with_name("exports.json").read_text())["mmcv"]


def test_names_of_mmcv_are_those_of_brickwork():
    after_mmcv(
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
        """
    )


def test_import_mmcv_does_not_import_torch():
    after_mmcv("import sys, mmcv\nassert 'torch' not in sys.modules")


def test_mmcv_is_a_package_of_ordinary_files():
    path = after_mmcv("import mmcv.cnn.bricks.conv as module\nprint(module.__file__)")
    assert path.endswith("brickwork/compat/mmcv1/mmcv/cnn/bricks/conv.py")
    assert Path(path).is_file()


# What downstream packages accept, each end included or not, as their `__init__.py` has it.
GATES = {
    "mmcls 0.25.0": ("1.4.2", "1.9.0"),
    "mmdet 2.28.2": ("1.3.17", "1.8.0"),
    "mmsegmentation 0.30.0": ("1.3.13", "1.8.0"),
    "mmpose 0.29.0": ("1.3.8", "1.7.0"),
    "mmaction2 0.24.1": ("1.3.6", "1.7.0"),
}


def test_default_version_is_accepted_by_downstream_packages():
    version, info = after_mmcv(
        "import mmcv; print(mmcv.__version__, list(mmcv.version_info))"
    ).split(maxsplit=1)
    assert json.loads(info) == [int(number) for number in version.split(".")]
    refused = [
        package
        for package, (least, most) in GATES.items()
        if not Version(least) <= Version(version) <= Version(most)
    ]
    assert refused == []


def test_version_can_be_set_here_and_in_child_processes():
    printed = run_python(
        "-c",
        "import brickwork.compat.mmcv, subprocess, sys, os\n"
        "brickwork.compat.mmcv.install(version='1.4.0')\n"
        "import mmcv, mmcv.version\n"
        "print(mmcv.__version__, mmcv.version_info, mmcv.version.__version__)\n"
        "sys.stdout.flush()\n"
        "code = 'import mmcv; print(mmcv.__version__)'\n"
        "environment = {**os.environ, 'PYTHONPATH': sys.path[0]}\n"
        "subprocess.run([sys.executable, '-c', code], env=environment, check=True)\n",
    )
    assert printed.splitlines() == ["1.4.0 (1, 4, 0) 1.4.0", "1.4.0"]


@pytest.mark.parametrize("version", ["2.1.0", "latest"])
def test_version_of_another_generation_is_refused(version):
    with pytest.raises(ValueError, match=r"version must be one of mmcv 1\.x.*got"):
        install("mmcv", version=version)


def test_parse_version_info_returns_release_and_phase():
    after_mmcv(
        """
        from mmcv.version import parse_version_info
        assert parse_version_info("1.3.0") == (1, 3, 0, 0, 0, 0)
        assert parse_version_info("2.0.0rc1") == (2, 0, 0, 0, "rc", 1)
        assert parse_version_info("1.2.3.4.5", length=3) == (1, 2, 3, 0, 0)
        """
    )


@pytest.mark.parametrize("module", EXPORTS)
def test_star_import_gives_the_names_of_mmcv(module):
    names = after_mmcv(f"from {module} import *\nprint(*dir())").split()
    assert {name for name in names if not name.startswith("__")} - {"compat"} == set(
        EXPORTS[module].split()
    )


def test_function_is_not_replaced_by_its_module():
    after_mmcv(
        """
        import mmcv.cnn.utils.fuse_conv_bn
        from mmcv.cnn.utils import fuse_conv_bn
        from mmcv.cnn.utils.fuse_conv_bn import fuse_conv_bn as same
        assert fuse_conv_bn is same
        """
    )


def test_names_can_be_patched():
    after_mmcv(
        """
        from unittest import mock
        import mmcv.cnn, brickwork.cnn
        real = mmcv.cnn.build_norm_layer
        with mock.patch("mmcv.cnn.build_norm_layer", return_value=7):
            assert mmcv.cnn.build_norm_layer() == 7
            assert brickwork.cnn.build_norm_layer is real
        assert mmcv.cnn.build_norm_layer is real
        with mock.patch("mmcv.cnn.bricks.conv.build_conv_layer") as patch:
            from mmcv.cnn.bricks.conv import build_conv_layer
            assert build_conv_layer is patch
        with mock.patch("mmcv.__version__", "1.3.0"):
            assert mmcv.__version__ == "1.3.0"
        assert mmcv.__version__ != "1.3.0"
        """
    )


def test_modules_can_be_reloaded():
    after_mmcv(
        """
        import importlib, mmcv.cnn
        real = mmcv.cnn.build_norm_layer
        mmcv.cnn.build_norm_layer = None
        assert importlib.reload(mmcv.cnn) is mmcv.cnn
        assert mmcv.cnn.build_norm_layer is real
        assert importlib.reload(mmcv) is mmcv
        assert importlib.reload(mmcv.cnn.bricks.conv).build_conv_layer is mmcv.cnn.build_conv_layer
        """
    )


def test_pickles_that_name_mmcv_load(tmp_path):
    # protocol 0 spells a class as its module and its name
    (tmp_path / "old.pkl").write_bytes(b"cmmcv.cnn.bricks.conv_module\nConvModule\n.")
    after_mmcv(
        f"""
        import pickle, brickwork.cnn
        from mmcv.cnn import ConvModule
        with open({str(tmp_path / "old.pkl")!r}, "rb") as file:
            assert pickle.load(file) is brickwork.cnn.ConvModule
        with open({str(tmp_path / "new.pkl")!r}, "wb") as file:
            pickle.dump(ConvModule(3, 4, 1), file)
        """
    )
    module = pickle.loads((tmp_path / "new.pkl").read_bytes())  # where nothing is installed
    assert module.conv.weight.shape == (4, 3, 1, 1)


def test_names_that_mmcv_does_not_have_raise_import_error():
    printed = after_mmcv(
        """
        for statement in [
            "from mmcv.runner import NoHook",
            "from mmcv.ops import no_op",
            "from mmcv import NoName",
            "from mmcv.cnn import DropPath",
            "import mmcv.no_module",
            "import mmcv._ext",
        ]:
            try:
                exec(statement)
            except ImportError as error:
                print(str(error).split(" (")[0])
        """
    )
    assert printed.splitlines() == [
        "cannot import name 'NoHook' from 'mmcv.runner'",
        "cannot import name 'no_op' from 'mmcv.ops'",
        "cannot import name 'NoName' from 'mmcv'",
        "cannot import name 'DropPath' from 'mmcv.cnn'",
        "No module named 'mmcv.no_module'",
        "No module named 'mmcv._ext'",
    ]


def test_missing_attribute_is_a_plain_attribute_error():
    after_mmcv(
        """
        import mmcv.runner
        for module in (mmcv, mmcv.runner):
            assert not hasattr(module, "Nothing")
            try:
                module.Nothing
            except AttributeError as error:
                assert str(error) == f"module {module.__name__!r} has no attribute 'Nothing'"
        """
    )


def test_install_after_an_import_of_mmcv_is_refused():
    printed = run_python(
        "-c",
        "import sys, types\n"
        "sys.modules['mmcv'] = types.ModuleType('mmcv')\n"
        "import brickwork.compat.mmcv\n"
        "try:\n    brickwork.compat.mmcv.install()\n"
        "except RuntimeError as error:\n    print(error)",
    )
    assert "imported already" in printed


def test_the_other_generation_is_refused_until_uninstalled():
    message = after_mmcv(
        """
        import brickwork.compat.mmengine
        try:
            brickwork.compat.mmengine.install()
        except RuntimeError as error:
            print(error)
        """
    )
    assert message.endswith("mmcv1 is on sys.path already; uninstall it first")


def test_uninstall_removes_mmcv():
    after_mmcv(
        """
        import importlib.util, sys, mmcv.cnn
        compat.install()  # a second time changes nothing
        compat.uninstall()
        assert importlib.util.find_spec("mmcv") is None
        assert not [name for name in sys.modules if name.split(".")[0] == "mmcv"]
        compat.install()
        from mmcv.cnn import ConvModule
        """
    )


@pytest.mark.parametrize("names", [("mmdet",), ("mmcv", "mmengine")])
def test_install_takes_one_generation(names):
    with pytest.raises(ValueError, match="one of mmcv, mmengine"):
        install(*names)


def test_error_pickles():
    error = NotCoveredError("mmcv.ops.nms", ["model.py:3"], "Install it.")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.name, copy.importers, copy.remedy) == (error.name, ("model.py:3",), "Install it.")
    assert str(copy) == str(error)
