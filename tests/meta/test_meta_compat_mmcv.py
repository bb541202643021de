"""Code that imports mmcv runs as it is, in a fresh interpreter, where no mmcv is installed."""

import json
import pickle
from pathlib import Path

import pytest
from brickwork.compat import install
from brickwork.compat.errors import NotCoveredError
from packaging.version import Version

from tests.support.compat import after_mmcv
from tests.support.python import run_python

EXPORTS = json.loads(Path(__file__).with_name("exports.json").read_text())["mmcv"]


def test_the_usual_imports_are_ours():
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


# What downstream packages accept, each end included or not, as their `__init__.py` has it.
GATES = {
    "mmcls 0.25.0": ("1.4.2", "1.9.0"),
    "mmdet 2.28.2": ("1.3.17", "1.8.0"),
    "mmsegmentation 0.30.0": ("1.3.13", "1.8.0"),
    "mmpose 0.29.0": ("1.3.8", "1.7.0"),
    "mmaction2 0.24.1": ("1.3.6", "1.7.0"),
}


def test_the_version_is_one_that_downstream_packages_accept():
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


@pytest.mark.parametrize("module", EXPORTS)
def test_a_star_import_gives_what_the_original_gives(module):
    names = after_mmcv(f"from {module} import *\nprint(*dir())").split()
    ours = {name for name in names if not name.startswith("__")} - {"compat"}
    theirs = set(EXPORTS[module].split())
    assert ours <= theirs
    assert ours == theirs or module in ("mmcv.runner", "mmcv.utils")  # covered in part


def test_a_module_does_not_stand_in_the_place_of_a_function():
    after_mmcv(
        """
        import mmcv.cnn.utils.fuse_conv_bn
        from mmcv.cnn.utils import fuse_conv_bn
        from mmcv.cnn.utils.fuse_conv_bn import fuse_conv_bn as same
        assert fuse_conv_bn is same
        """
    )


def test_it_can_be_patched():
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


def test_a_module_can_be_loaded_again():
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


def test_a_module_pickles_by_its_name():
    # cloudpickle and the like pickle the modules that a function uses
    after_mmcv(
        """
        import pickle, mmcv.cnn
        assert pickle.loads(pickle.dumps(mmcv.cnn)) is mmcv.cnn
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


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("import mmcv.ops", "mmcv.ops"),
        ("from mmcv.ops import nms", "mmcv.ops"),
        ("from mmcv.utils import Config", "mmcv.utils.Config"),
        ("from mmcv import imread", "mmcv.imread"),
        ("from mmcv.cnn.bricks.non_local import _NonLocalNd", "mmcv.cnn.bricks.non_local._Non"),
    ],
)
def test_what_is_not_covered_says_so(statement, name):
    message = after_mmcv(
        f"""
        import mmcv
        try:
            {statement}
        except ModuleNotFoundError as error:
            print(error)
        """
    )
    assert message.startswith(name)
    assert "is not covered" in message
    assert "Install mmcv 1.x" in message


def test_an_attribute_that_is_not_covered_says_so_and_is_none():
    message = after_mmcv(
        """
        import mmcv
        assert not hasattr(mmcv, "imread")
        try:
            mmcv.Config.fromfile("config.py")
        except AttributeError as error:
            print(error)
        """
    )
    assert message.startswith("mmcv.Config is not covered")


def test_too_late_is_said():
    printed = run_python(
        "-c",
        "import sys, types\n"
        "sys.modules['mmcv'] = types.ModuleType('mmcv')\n"
        "import brickwork.compat.mmcv\n"
        "try:\n    brickwork.compat.mmcv.install()\n"
        "except RuntimeError as error:\n    print(error)",
    )
    assert "imported already" in printed


def test_one_generation_at_a_time():
    message = after_mmcv(
        """
        import brickwork.compat.mmengine
        try:
            brickwork.compat.mmengine.install()
        except RuntimeError as error:
            print(error)
        """
    )
    assert "brickwork.compat for mmcv 1.7.0 already; uninstall it first" in message


def test_uninstalling_gives_the_name_back():
    after_mmcv(
        """
        import importlib.util, sys, mmcv.cnn
        compat.install()  # twice is once
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


@pytest.mark.parametrize("installed", [False, True])
def test_the_error_pickles(installed):
    error = NotCoveredError("mmcv.ops", "mmcv", "1.7.0", installed=installed)
    again = pickle.loads(pickle.dumps(error))
    assert (again.wanted, again.package, str(again)) == ("mmcv.ops", "mmcv", str(error))
    assert again.installed is installed
