"""Beside an installed mmcv, what is not covered comes from it, and works on what is ours."""

from pathlib import Path

import pytest

from tests.support.compat import after_mmcv

# What looks like an installed mmcv 1.x; what must not be executed says so.
FILES = {
    "mmcv-1.7.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: mmcv\nVersion: 1.7.1\n",
    "mmcv/__init__.py": "from .utils import *\nfrom .image import imread\n",
    "mmcv/image.py": "from .utils import is_str\ndef imread(path): return 'read', is_str(path)\n",
    "mmcv/utils/__init__.py": (
        "from .config import Config\nfrom .misc import is_str\nfrom .registry import Registry\n"
    ),
    "mmcv/utils/config.py": "class Config: pass\n",
    "mmcv/utils/misc.py": "raise RuntimeError('ours is used')\n",
    "mmcv/utils/registry.py": "raise RuntimeError('ours is used')\n",
    "mmcv/cnn/__init__.py": "from .bricks import ConvModule\nfrom .resnet import conv3x3\n",
    "mmcv/cnn/resnet.py": "def conv3x3(): return 'the original'\nclass ResNet: pass\n",
    "mmcv/cnn/bricks/__init__.py": "raise RuntimeError('ours is used')\n",
    "mmcv/cnn/bricks/non_local.py": "raise RuntimeError('ours is used')\n",
    "mmcv/cnn/rfsearch/__init__.py": "",
    "mmcv/cnn/rfsearch/utils.py": "def get_single_padding(): return 1\n",
    "mmcv/runner/__init__.py": (
        "import os, time\nif 'FAIL' in os.environ: import no_such_module\n"
        "if 'SLOW' in os.environ: time.sleep(0.5)\n"
        "from .base_module import BaseModule\nfrom .hooks import Hook\n"
    ),
    "mmcv/runner/base_module.py": "raise RuntimeError('ours is used')\n",
    "mmcv/runner/hooks.py": "from ..utils import Registry\nclass Hook: registry = Registry\n",
    # mmcv 1.7's own NPU code goes through all modules like this
    "mmcv/device.py": (
        "import sys\n"
        "found = [m for m in sys.modules if 'mmcv' in m and hasattr(sys.modules[m], '_balance')]\n"
    ),
    "mmcv/ops/__init__.py": "from mmcv.cnn import CONV_LAYERS\n",
    "mmcv/ops/multi_scale_deform_attn.py": "class MultiScaleDeformableAttention: pass\n",
}


@pytest.fixture
def beside_real(tmp_path):
    """Run code after `install()`, with such an mmcv installed."""
    for name, text in FILES.items():
        path: Path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return lambda code: after_mmcv(code, PYTHONPATH=str(tmp_path))


def test_it_serves_the_rest(beside_real):
    beside_real(
        """
        import mmcv, brickwork_layers, brickwork_registry
        from mmcv import Config, imread
        from mmcv.utils import Config as same, Registry
        from mmcv.ops import CONV_LAYERS
        from mmcv.runner import Hook
        assert (mmcv.__version__, mmcv.version_info) == ("1.7.1", (1, 7, 1))
        assert Config is same and Config.__module__ == "mmcv.utils.config"
        assert imread("x") == ("read", True)
        assert CONV_LAYERS is brickwork_layers.CONV_LAYERS
        assert Hook.registry is Registry is brickwork_registry.Registry
        """
    )


def test_it_serves_what_is_left_out_of_a_part_that_is_ours(beside_real):
    beside_real(
        """
        from mmcv.cnn.rfsearch.utils import get_single_padding
        from mmcv.cnn.bricks.transformer import MultiScaleDeformableAttention
        from mmcv.cnn.resnet import ResNet, conv3x3
        assert conv3x3() == "the original"
        assert MultiScaleDeformableAttention.__module__ == "mmcv.ops.multi_scale_deform_attn"
        assert ResNet.__module__ != "mmcv.cnn.resnet"
        """
    )


def test_what_would_register_twice_stays_away(beside_real):
    message = beside_real(
        """
        try:
            from mmcv.cnn.bricks.non_local import _NonLocalNd
        except ImportError as error:
            print(error)
        """
    )
    assert message.startswith("mmcv.cnn.bricks.non_local._NonLocalNd is not there")
    assert "a second time" in message


def test_asking_every_module_for_a_name_executes_none(beside_real):
    beside_real(
        """
        import mmcv.cnn.bricks.conv_module, mmcv.cnn.resnet, mmcv.runner.checkpoint, mmcv.utils.env
        import mmcv.device
        assert mmcv.device.found == []
        """
    )


def test_a_failure_of_it_is_not_remembered(beside_real):
    beside_real(
        """
        import os
        os.environ["FAIL"] = "1"
        try:
            from mmcv.runner import Hook
        except ModuleNotFoundError as error:
            assert error.name == "no_such_module"
        del os.environ["FAIL"]
        from mmcv.runner import Hook
        """
    )


def test_several_threads_wait_for_it(beside_real):
    beside_real(
        """
        import os, mmcv.runner
        from concurrent.futures import ThreadPoolExecutor
        os.environ["SLOW"] = "1"
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _: getattr(mmcv.runner, "Hook"), range(4)))
        assert len(set(found)) == 1
        """
    )


def test_what_it_does_not_have_either_is_a_plain_miss(beside_real):
    beside_real(
        """
        import mmcv.runner
        for module in (mmcv, mmcv.runner):
            try:
                module.Nothing
            except AttributeError as error:
                assert str(error) == f"module {module.__name__!r} has no attribute 'Nothing'"
        """
    )


def test_uninstalling_leaves_it_alone(beside_real):
    beside_real(
        """
        import mmcv
        from mmcv import imread
        compat.uninstall()
        try:
            import mmcv.utils.misc
        except RuntimeError as error:
            assert "ours is used" in str(error)
        """
    )
