"""Beside an installed mmcv, names that brickwork lacks come from it and work with brickwork's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.compat import after_mmcv

NEVER_RUN = "raise RuntimeError('this module of mmcv must not run')\n"

# What looks like an installed mmcv 1.x.
FILES = {
    "__init__.py": NEVER_RUN,
    "version.py": "__version__ = '1.7.1'\n",
    "image/__init__.py": "from .io import imread\n",
    "image/io.py": (
        "from mmcv.utils import is_str\ndef imread(path): return 'read', is_str(path)\n"
    ),
    "utils/__init__.py": NEVER_RUN,
    "utils/config.py": "from .misc import is_str\nclass Config: pass\n",
    "utils/misc.py": NEVER_RUN,
    "utils/registry.py": NEVER_RUN,
    "cnn/__init__.py": NEVER_RUN,
    "cnn/resnet.py": "def conv3x3(): return 'the original'\nclass ResNet: pass\n",
    "cnn/bricks/__init__.py": NEVER_RUN,
    "cnn/bricks/non_local.py": NEVER_RUN,
    "cnn/rfsearch/__init__.py": NEVER_RUN,
    "cnn/rfsearch/utils.py": "def get_single_padding(): return 1\n",
    "runner/__init__.py": NEVER_RUN,
    "runner/base_module.py": NEVER_RUN,
    "runner/builder.py": (
        "from ..utils import Registry\nRUNNERS = Registry('runner')\ndef build_runner(): ...\n"
    ),
    "runner/epoch_based_runner.py": (
        "from .builder import RUNNERS\n@RUNNERS.register_module()\nclass EpochBasedRunner: ...\n"
    ),
    "runner/fp16_utils.py": (
        "import os, time\n"
        "if 'FAIL' in os.environ: import no_such_module\n"
        "if 'SLOW' in os.environ: time.sleep(0.5)\n"
        "from .dist_utils import get_dist_info\n"
        "class LossScaler: ...\n"
    ),
    "runner/hooks/__init__.py": NEVER_RUN,
    "runner/hooks/hook.py": NEVER_RUN,
    "runner/hooks/evaluation.py": (
        "from mmcv.parallel import is_module_wrapper\n"
        "from .hook import HOOKS, Hook\n"
        "@HOOKS.register_module()\n"
        "class EvalHook(Hook): ...\n"
    ),
    "parallel/__init__.py": NEVER_RUN,
    "parallel/collate.py": "from .data_container import DataContainer\ndef collate(): return 2\n",
    "ops/__init__.py": NEVER_RUN,
    "ops/ball_query.py": (
        "from mmcv.cnn import CONV_LAYERS\ndef ball_query(): return CONV_LAYERS.name\n"
    ),
    "_ext.py": "def knn_forward(): return 'compiled'\n",
}


@pytest.fixture
def beside_mmcv(tmp_path: Path) -> Callable[..., str]:
    """Run code after `install()`, with such an mmcv installed."""
    for name, text in FILES.items():
        path = tmp_path / "mmcv" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return lambda code, **environment: after_mmcv(code, PYTHONPATH=str(tmp_path), **environment)


def test_installed_mmcv_serves_names_that_brickwork_lacks(beside_mmcv):
    beside_mmcv(
        """
        import mmcv, brickwork.compat, brickwork_layers, brickwork_registry
        from mmcv import Config, imread
        from mmcv.utils import Config as same, Registry
        from mmcv.ops import ball_query
        from mmcv.cnn.resnet import ResNet, conv3x3
        from mmcv.cnn.rfsearch.utils import get_single_padding
        from mmcv.utils.ext_loader import check_ops_exist, load_ext
        assert (mmcv.__version__, mmcv.version_info) == ("1.7.1", (1, 7, 1))
        assert Config is same and Config.__module__ == "mmcv.utils.config"
        assert imread("x") == ("read", True)
        assert ball_query() == brickwork_layers.CONV_LAYERS.name
        assert conv3x3() == "the original"
        assert ResNet.__module__ != "mmcv.cnn.resnet"
        assert check_ops_exist() and load_ext("_ext", ["knn_forward"]).knn_forward() == "compiled"
        assert brickwork.compat.placeholders() == {}
        """
    )


def test_hooks_and_runners_of_installed_mmcv_register_with_brickwork(beside_mmcv):
    beside_mmcv(
        """
        import mmcv.runner, brickwork.runner.hooks
        from mmcv.runner import HOOKS, RUNNERS, EvalHook, Hook
        assert HOOKS is brickwork.runner.hooks.HOOKS
        assert HOOKS.get("EvalHook") is EvalHook and issubclass(EvalHook, Hook)
        assert RUNNERS.get("EpochBasedRunner") is mmcv.runner.EpochBasedRunner
        """
    )


def test_function_of_installed_mmcv_is_not_replaced_by_the_module_of_its_name(beside_mmcv):
    beside_mmcv(
        """
        from mmcv.parallel.collate import collate
        from mmcv.parallel import collate as same
        from mmcv.ops.ball_query import ball_query
        from mmcv.ops import ball_query as same_query
        assert collate is same and collate() == 2 and ball_query is same_query
        """
    )


def test_name_of_a_module_in_front_pickles_by_its_public_name(beside_mmcv):
    beside_mmcv(
        """
        import pickle
        from mmcv.runner import LossScaler
        assert LossScaler.__module__ == "mmcv.runner.fp16_utils"
        assert type(pickle.loads(pickle.dumps(LossScaler()))) is LossScaler
        """
    )


def test_names_that_neither_has_are_placeholders(beside_mmcv):
    beside_mmcv(
        """
        from brickwork.compat import is_placeholder
        from mmcv.runner import TextLoggerHook
        from mmcv.utils import ProgressBar
        from mmcv.video import flowread
        assert all(map(is_placeholder, [TextLoggerHook, flowread]))
        try:
            from mmcv.runner import Nothing
        except ImportError:
            pass
        """
    )


def test_failed_import_is_not_remembered(beside_mmcv):
    beside_mmcv(
        """
        import os
        os.environ["FAIL"] = "1"
        try:
            from mmcv.runner.fp16_utils import LossScaler
        except ModuleNotFoundError as error:
            assert error.name == "no_such_module"
        del os.environ["FAIL"]
        from mmcv.runner.fp16_utils import LossScaler
        """
    )


def test_module_behind_ours_is_imported_once_by_several_threads(beside_mmcv):
    beside_mmcv(
        """
        import os, mmcv.runner.fp16_utils
        from concurrent.futures import ThreadPoolExecutor
        os.environ["SLOW"] = "1"
        with ThreadPoolExecutor(4) as pool:
            values = list(pool.map(lambda _: mmcv.runner.fp16_utils.LossScaler, range(4)))
        assert len(set(values)) == 1
        """
    )


def test_operators_of_installed_mmcv_are_used_only_if_it_is_compiled(beside_mmcv, tmp_path):
    (tmp_path / "mmcv" / "_ext.py").unlink()
    beside_mmcv(
        """
        from brickwork.compat import is_placeholder
        from mmcv.ops import ball_query
        assert is_placeholder(ball_query)
        """
    )


def test_set_version_precedes_that_of_installed_mmcv(beside_mmcv):
    printed = beside_mmcv("import mmcv; print(mmcv.__version__)", BRICKWORK_COMPAT_VERSION="1.3.0")
    assert printed == "1.3.0"


def test_mmcv_of_another_generation_is_ignored(beside_mmcv, tmp_path):
    (tmp_path / "mmcv" / "version.py").write_text("__version__ = '2.1.0'\n")
    beside_mmcv(
        """
        import mmcv
        from brickwork.compat import is_placeholder
        from mmcv.runner import EvalHook
        from mmcv.cnn.resnet import conv3x3
        assert mmcv.__version__ == "1.7.0"
        assert is_placeholder(EvalHook) and is_placeholder(conv3x3)
        """
    )


def test_uninstall_leaves_installed_mmcv_alone(beside_mmcv):
    beside_mmcv(
        """
        import mmcv
        from mmcv import imread
        compat.uninstall()
        try:
            import mmcv.utils.misc
        except RuntimeError as error:
            assert "must not run" in str(error)
        """
    )
