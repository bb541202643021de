"""Code that imports mmengine and mmcv 2.x runs as it is, in a fresh interpreter."""

import subprocess
import sys
import textwrap


def after_install(code: str) -> str:
    script = "import brickwork.compat.mmengine\nbrickwork.compat.mmengine.install()\n"
    done = subprocess.run(
        [sys.executable, "-c", script + textwrap.dedent(code)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_usual_imports_are_ours():
    after_install(
        """
        import mmengine, mmcv, brickwork.cnn, brickwork_base
        from mmengine.model import BaseModule, constant_init
        from mmengine.model.weight_init import trunc_normal_
        from mmengine.runner.checkpoint import load_checkpoint
        from mmengine.utils import digit_version, to_2tuple
        from mmengine.utils.dl_utils.parrots_wrapper import _BatchNorm
        from mmcv.cnn import ConvModule
        from mmcv.cnn.bricks import DropPath
        assert BaseModule is brickwork_base.BaseModule
        assert ConvModule is brickwork.cnn.ConvModule
        assert (2, 0) <= digit_version(mmcv.__version__)[:2] < (2, 4)
        assert (0, 8) <= digit_version(mmengine.__version__)[:2] < (1, 0)
        """
    )


def test_models_has_our_layers_and_what_downstream_registers():
    after_install(
        """
        import sys, types
        from mmengine.registry import MODELS, Registry
        from torch import nn
        assert isinstance(MODELS.build(dict(type="BN", num_features=3)), nn.BatchNorm2d)

        downstream = Registry("model", parent=MODELS, scope="down", locations=["down_models"])
        @MODELS.register_module()
        class Common(nn.Identity): ...
        class Finder:
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name == "down_models":
                    @downstream.register_module()
                    class Late(nn.Identity): ...
                    from importlib.machinery import ModuleSpec
                    return ModuleSpec(name, None, is_package=True)
        sys.meta_path.append(Finder)
        assert isinstance(downstream.build(dict(type="Common")), Common)
        assert type(downstream.build(dict(type="Late"))).__name__ == "Late"
        assert type(MODELS.build(dict(type="down.Late"))).__name__ == "Late"
        assert type(downstream.build(dict(type="ReLU"))) is nn.ReLU
        try:
            downstream.build(dict(type="Nothing"))
        except KeyError as error:
            assert "Nothing" in str(error)
        """
    )


def test_what_is_not_covered_says_so():
    message = after_install(
        """
        try:
            from mmengine.hooks import Hook
        except ImportError as error:
            print(error)
        """
    )
    assert message.startswith("mmengine.hooks is not covered")
    assert "Install mmengine 0.x" in message
