"""Names of mmcv that nothing provides import as placeholders, and raise when they are used."""

import json
from pathlib import Path

import brickwork.compat
import pytest

from tests.support.compat import after_mmcv
from tests.support.python import run_python

NAMES = json.loads((Path(brickwork.compat.__file__).parent / "mmcv1" / "names.json").read_text())[
    "modules"
]
WITHOUT_MMENGINE = "import sys; sys.modules['mmengine'] = None\n"


def test_every_public_name_of_mmcv_can_be_imported():
    statements = [
        f"from {module} import {', '.join(names.split())}"
        for module, rows in NAMES.items()
        for names in rows.values()
    ]
    after_mmcv("\n".join(statements))


def test_placeholder_can_be_subclassed_annotated_registered_and_passed_on():
    after_mmcv(
        """
        import abc, copy, inspect, pickle
        from mmcv.runner import HOOKS, EpochBasedRunner, EvalHook, Fp16OptimizerHook
        from torch import nn

        @HOOKS.register_module()
        class MyHook(EvalHook):
            runner: EpochBasedRunner | None = None
            def go(self, runner: EpochBasedRunner = EpochBasedRunner) -> "EvalHook":
                return super().go()

        class Mixed(EvalHook, nn.Module, abc.ABC): ...
        class Both(EvalHook, Fp16OptimizerHook): ...

        HOOKS.register_module(module=EvalHook)
        assert HOOKS.get("EvalHook") is EvalHook and HOOKS.get("MyHook") is MyHook
        assert issubclass(MyHook, EvalHook) and not isinstance(3, EvalHook)
        assert pickle.loads(pickle.dumps(EvalHook)) is copy.deepcopy(EvalHook) is EvalHook
        assert (EvalHook.__module__, EvalHook.__name__) == (
            "mmcv.runner.hooks.evaluation", "EvalHook"
        )
        assert bool(EvalHook) and EvalHook == EvalHook and len({EvalHook, EpochBasedRunner}) == 2
        assert "placeholder" in repr(EvalHook) and inspect.isclass(EvalHook)
        try:
            raise ValueError
        except (TimeoutError, ValueError):
            pass
        """
    )


def test_placeholder_decorates_and_registers_without_effect():
    after_mmcv(
        WITHOUT_MMENGINE
        + """
        from mmcv.fileio import FileClient, register_handler
        from mmcv.ops import knn

        class Backend: ...
        def function(): ...
        assert knn(Backend) is Backend and knn(function) is function
        assert FileClient.register_backend("mine", Backend)(Backend) is Backend
        assert FileClient.register_backend("mine", force=True)(function) is function
        assert FileClient.register_backend(Backend) is Backend
        """.replace("        ", "")
    )


@pytest.mark.parametrize(
    "use",
    [
        "VideoReader(1, 2)",
        "VideoReader()",
        "VideoReader(3)",
        "VideoReader(int, int)",
        "VideoReader.run",
        "VideoReader['key']",
        "list(VideoReader)",
        "len(VideoReader)",
        "'x' in VideoReader",
        "VideoReader.__enter__()",
        "type('Own', (VideoReader,), {})()",
        "type('Own', (VideoReader,), {})(int)",
    ],
)
def test_any_other_use_raises_and_names_the_import(tmp_path, use):
    program = tmp_path / "program.py"
    program.write_text(
        "import brickwork.compat.mmcv\n"
        "brickwork.compat.mmcv.install()\n"
        "from mmcv.video import VideoReader\n"
        f"try:\n    {use}\n"
        "except ImportError:\n    raise SystemExit('callers swallow this')\n"
        "except brickwork.compat.NotCoveredError as error:\n    print(error)\n"
    )
    message = run_python(program)
    assert message.startswith(
        f"mmcv.video.io.VideoReader (imported at {program}:3) is a placeholder"
    )
    assert "pip install mmcv==1.7.2" in message


def test_error_names_the_import_of_the_file_that_uses_the_placeholder(tmp_path):
    (tmp_path / "first.py").write_text("\nfrom mmcv.ops import knn\n")
    (tmp_path / "second.py").write_text("\n\nfrom mmcv.ops import knn\ndef use(): knn(1, 2)\n")
    message = after_mmcv(
        f"""
        import sys; sys.path.insert(0, {str(tmp_path)!r})
        import first, second
        try:
            second.use()
        except compat_error as error:
            print(error)
        """.replace("compat_error", "__import__('brickwork').compat.NotCoveredError")
    )
    assert f"(imported at {tmp_path / 'second.py'}:3)" in message


@pytest.mark.parametrize(
    ("statement", "remedy"),
    [
        ("from mmcv.utils import Config as value", "pip install 'brickwork[mmengine]'"),
        ("from mmcv import load as value", "pip install 'brickwork[mmengine]'"),
        ("from mmcv.ops import SparseConv3d as value", "spconv"),
        ("from mmcv.engine import single_gpu_test as value", "pip install mmcv==1.7.2"),
        ("from mmcv.video import flowread as value", "pip install mmcv==1.7.2"),
    ],
)
def test_error_says_what_provides_the_name(statement, remedy):
    message = after_mmcv(
        WITHOUT_MMENGINE
        + f"{statement}\n"
        + "from brickwork.compat import NotCoveredError\n"
        + "try:\n    value('x')\nexcept NotCoveredError as error:\n    print(error)\n"
    )
    assert remedy in message


def test_is_placeholder_tells_placeholders_from_all_else():
    after_mmcv(
        """
        from brickwork.compat import is_placeholder
        from mmcv.cnn import ConvModule
        from mmcv.runner import EvalHook, HOOKS
        class Own(EvalHook): ...
        assert is_placeholder(EvalHook)
        assert not any(map(is_placeholder, [Own, ConvModule, HOOKS, None, 3, "EvalHook"]))
        """
    )


def test_placeholder_error_class_can_be_caught():
    after_mmcv(
        WITHOUT_MMENGINE
        + "from mmcv.utils import TimerError\n"
        + "try:\n    raise ValueError\nexcept (TimerError, ValueError):\n    pass\n"
    )


def test_log_counts_the_placeholders_when_the_program_ends(tmp_path):
    log = tmp_path / "log"
    after_mmcv(
        f"""
        import logging
        logging.basicConfig(filename={str(log)!r})
        from mmcv.video import VideoReader, flowread
        from mmcv import VideoReader
        """
    )
    assert log.read_text().startswith("WARNING:brickwork.compat:2 names of mmcv were imported that")


def test_a_program_without_placeholders_logs_nothing(tmp_path):
    log = tmp_path / "log"
    after_mmcv(
        f"""
        import logging
        logging.basicConfig(filename={str(log)!r})
        import mmcv.ops, mmcv.parallel
        from mmcv.runner import HOOKS
        from mmcv.cnn import ConvModule
        """
    )
    assert log.read_text() == ""


def test_names_option_lists_placeholders_and_their_importers(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("from mmcv.video import flowread\nfrom mmcv.ops import knn\nprint('ran')\n")
    printed = run_python("-m", "brickwork.compat.mmcv", "--names", program)
    assert printed.splitlines() == [
        "ran",
        "mmcv.ops.knn.knn",
        f"    {program}:2",
        "mmcv.video.optflow.flowread",
        f"    {program}:1",
    ]


def test_function_of_mmcv_is_not_replaced_by_the_module_of_its_name():
    after_mmcv(
        """
        import brickwork_ops, mmcv.ops.knn, mmcv.ops.nms, mmcv.parallel.collate
        from mmcv.ops import knn, nms
        from mmcv.parallel import collate
        from brickwork.compat import is_placeholder
        assert is_placeholder(knn) and is_placeholder(collate)
        assert nms is brickwork_ops.nms
        """
    )


def test_kernels_that_nothing_provides_are_placeholders():
    message = after_mmcv(
        """
        from mmcv.utils import ext_loader
        from brickwork.compat import NotCoveredError, is_placeholder
        ext_module = ext_loader.load_ext("_ext", ["nms_rotated", "knn_forward"])
        assert is_placeholder(ext_module.knn_forward)
        assert ext_loader.check_ops_exist()  # brickwork-ops
        try:
            ext_module.knn_forward(1, 2)
        except NotCoveredError as error:
            print(error)
        """
    )
    assert message.startswith("mmcv._ext.knn_forward (imported at <string>:")


def test_operators_and_their_kernels_are_those_of_brickwork_ops():
    after_mmcv(
        """
        import brickwork_ops
        from mmcv.cnn import CONV_LAYERS, Linear, build_conv_layer
        from mmcv.cnn.bricks.transformer import MultiScaleDeformableAttention
        from mmcv.ops import DeformConv2d, Linear as same, RoIAlign
        from mmcv.ops.modulated_deform_conv import ModulatedDeformConv2dPack
        from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch
        from mmcv.utils import ext_loader
        assert RoIAlign is brickwork_ops.RoIAlign and DeformConv2d is brickwork_ops.DeformConv2d
        assert Linear is same
        assert MultiScaleDeformableAttention is brickwork_ops.MultiScaleDeformableAttention
        layer = build_conv_layer(dict(type="DCNv2"), 4, 4, 3)
        assert type(layer) is ModulatedDeformConv2dPack is CONV_LAYERS.get("DCNv2")
        names = ["ms_deform_attn_forward", "ms_deform_attn_backward"]
        kernels = ext_loader.load_ext("_ext", names)
        assert kernels.ms_deform_attn_forward is brickwork_ops.ms_deform_attn_forward
        """
    )
