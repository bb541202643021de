"""Code for mmcv 2.x runs unchanged on an installed mmengine, in a fresh interpreter."""

import json
from pathlib import Path

import pytest

from tests.support.compat import after_mmengine
from tests.support.python import run_python

EXPORTS = json.loads(Path(__file__).with_name("exports.json").read_text())["mmengine"]


def test_mmcv_is_that_of_brickwork_and_mmengine_is_itself():
    after_mmengine(
        """
        import mmengine, mmcv, brickwork.cnn
        from mmengine.model import BaseModule
        from mmengine.utils import digit_version
        from mmcv.cnn import ConvModule
        from mmcv.cnn.bricks import DropPath
        from mmcv.cnn.bricks.transformer import FFN
        assert "site-packages" in mmengine.__file__ and BaseModule.__module__.startswith("mmengine")
        assert ConvModule is brickwork.cnn.ConvModule
        assert (2, 0) <= digit_version(mmcv.__version__)[:2] < (2, 4)
        """
    )


def test_import_mmcv_does_not_import_torch():
    after_mmengine("import sys, mmcv\nassert 'torch' not in sys.modules")


def test_bricks_work_in_modules_of_mmengine():
    # the same seed gives the same weights as in a module of brickwork
    after_mmengine(
        """
        import torch
        import brickwork.runner, mmengine.model
        from mmcv.cnn import ConvModule
        from mmcv.cnn.bricks.transformer import FFN

        def weights(base):
            class Net(base):
                def __init__(self):
                    super().__init__(init_cfg=dict(type="Xavier", layer="Linear"))
                    self.conv = ConvModule(3, 4, 3, norm_cfg=dict(type="BN"))
                    self.ffn = FFN(4, 8, init_cfg=dict(type="Normal", layer="Linear", std=3))
            torch.manual_seed(0)
            net = Net()
            net.init_weights()
            return net.state_dict()

        theirs, ours = map(weights, [mmengine.model.BaseModule, brickwork.runner.BaseModule])
        assert list(theirs) == list(ours)
        assert all(torch.equal(theirs[key], ours[key]) for key in ours)
        assert theirs["ffn.layers.1.weight"].std() > 2
        """
    )


def test_models_of_mmengine_has_our_layers_and_those_of_downstream():
    after_mmengine(
        """
        import sys, types
        import mmcv.cnn  # registers the layers, as mmcv 2.x does
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


# Three packages' registries; then who answers, by default scope. The answers are mmengine 0.10.7's
# and mmcv-lite 2.1.0's, to the same program.
SCOPES = """
    from mmcv.cnn import ConvModule, build_activation_layer, build_conv_layer, build_norm_layer
    from mmcv.cnn import build_padding_layer, build_plugin_layer
    from mmcv.cnn.bricks.drop import build_dropout
    from mmengine.registry import MODELS, DefaultScope, Registry, init_default_scope
    from torch import nn

    down = Registry("model", parent=MODELS, scope="down")
    other = Registry("model", parent=MODELS, scope="other")
    down.register_module(module=type("MyNorm", (nn.BatchNorm2d,), {}))
    down.register_module(module=type("MyConv", (nn.Conv2d,), {}))
    down.register_module(module=type("MyAct", (nn.ReLU,), {}))
    down.register_module(module=type("MyDrop", (nn.Dropout,), {}))
    down.register_module(module=type("MyPad", (nn.ZeroPad2d,), {}))
    down.register_module("LeakyReLU", module=type("Shadow", (nn.LeakyReLU,), {}))
    MODELS.register_module(module=type("RootAct", (nn.ReLU,), {}))
    other.register_module("MyAct", module=type("OtherAct", (nn.ReLU,), {}))

    @down.register_module()
    class MyPlug(nn.Identity):
        def __init__(self, in_channels):
            super().__init__()

    def answer(ask):
        try:
            found = ask()
        except KeyError:
            return "KeyError"
        if isinstance(found, tuple):
            found = found[1]
        if isinstance(found, nn.Module):
            return type(found).__name__
        return getattr(found, "__name__", found)

    def act(kind):
        return answer(lambda: build_activation_layer(dict(type=kind)))

    bundle = dict(norm_cfg=dict(type="MyNorm"), act_cfg=dict(type="MyAct"))
    def answers():
        return [
            answer(lambda: build_norm_layer(dict(type="MyNorm"), 3)),
            answer(lambda: build_conv_layer(dict(type="MyConv"), 3, 3, 1)),
            answer(lambda: build_padding_layer(dict(type="MyPad"), 3)),
            answer(lambda: build_plugin_layer(dict(type="MyPlug"), in_channels=3)),
            answer(lambda: build_dropout(dict(type="MyDrop"))),
            answer(lambda: ConvModule(3, 3, 1, **bundle)),
        ], [
            *map(act, ["MyAct", "LeakyReLU", "RootAct", "other.MyAct", "down.MyAct"]),
        ], [
            answer(lambda: MODELS.build(dict(type="MyAct"))),
            answer(lambda: other.build(dict(type="MyAct"))),
            answer(lambda: MODELS.build(dict(type="MyAct", _scope_="other"))),
            answer(lambda: MODELS.build([dict(type="ReLU"), dict(type="MyAct")])),
        ], [
            *map(answer, [
                lambda: MODELS.get("MyAct"),
                lambda: MODELS.get("down.MyAct"),
                lambda: down.get("RootAct"),
                lambda: down.get("down.RootAct"),
                lambda: MODELS.get("torch.nn.ReLU"),
                lambda: MODELS.get("Nope"),
            ]),
        ]

    layers = ["MyNorm", "MyConv", "MyPad", "MyPlug", "MyDrop", "ConvModule"]
    got = [None, "MyAct", "RootAct", None, "ReLU", None]
    missing = "KeyError"
    by_scope = {
        None: ([missing] * 6, [missing, "LeakyReLU"], [missing, "OtherAct", "OtherAct", missing]),
        "down": (layers, ["MyAct", "Shadow"], ["MyAct", "MyAct", "OtherAct", "Sequential"]),
        "other": (
            [missing] * 6, ["OtherAct", "LeakyReLU"], ["OtherAct"] * 3 + ["Sequential"]
        ),
    }
    by_scope["unknown"] = by_scope[None]

    def check(scope):
        built, acts, models = by_scope[scope]
        acts = [*acts, "RootAct", "OtherAct", "MyAct"]
        assert answers() == (built, acts, models, got), (scope, answers())
"""


def test_builds_look_in_the_default_scope():
    after_mmengine(
        SCOPES
        + """
    check(None)
    for scope in ("other", "down", "unknown", "down"):
        init_default_scope(scope)
        assert DefaultScope.get_current_instance().scope_name == scope
        check(scope)
    """
    )


def test_default_scope_precedes_our_own_names():
    after_mmengine(
        """
        from brickwork_layers import NORM_LAYERS
        from brickwork_registry import build_from_cfg
        from mmcv.cnn import build_norm_layer
        from mmengine.registry import MODELS, Registry, init_default_scope
        from torch import nn
        down = Registry("model", parent=MODELS, scope="down")
        down.register_module("BN", module=type("Shadow", (nn.BatchNorm2d,), {}))
        config = dict(type="BN", num_features=3)
        assert type(build_from_cfg(config, NORM_LAYERS)) is nn.BatchNorm2d
        init_default_scope("down")
        assert type(build_from_cfg(config, NORM_LAYERS)).__name__ == "Shadow"
        assert type(build_norm_layer(dict(type="BN"), 3)[1]).__name__ == "Shadow"
        """
    )


def test_uninstall_disconnects_the_registries():
    after_mmengine(
        """
        import sys, brickwork_init, brickwork_layers
        registries = [brickwork_layers.NORM_LAYERS, brickwork_init.INITIALIZERS]
        before = [type(registry) for registry in registries]
        import mmcv.cnn
        from mmengine.registry import MODELS, init_default_scope
        from torch import nn
        MODELS.register_module("MyNorm", module=type("MyNorm", (nn.BatchNorm2d,), {}))
        init_default_scope("mmengine")
        assert brickwork_layers.build_norm_layer(dict(type="MyNorm"), 3)[0] == "bn"

        compat.uninstall()
        assert [type(registry) for registry in registries] == before
        assert not [name for name in sys.modules if name.split(".")[0] == "mmcv"]
        try:
            brickwork_layers.build_norm_layer(dict(type="MyNorm"), 3)
        except KeyError:
            compat.install()
        import mmcv.cnn
        assert brickwork_layers.build_norm_layer(dict(type="MyNorm"), 3)[0] == "bn"
        """
    )


@pytest.mark.parametrize("module", [module for module in EXPORTS if module.startswith("mmcv")])
def test_star_import_gives_the_names_of_mmcv(module):
    names = after_mmengine(f"from {module} import *\nprint(*dir())").split()
    ours = {name for name in names if not name.startswith("__")} - {"compat"}
    assert ours == set(EXPORTS[module].split())


def test_scope_holds_for_a_block():
    after_mmengine(
        SCOPES
        + """
    with MODELS.switch_scope_and_registry("down") as registry:
        assert registry is down
        check("down")
        with down.switch_scope_and_registry("other") as inner:
            assert inner is other
            check("other")
        with other.switch_scope_and_registry(None) as inner:
            assert inner is down
    check(None)
    with other.switch_scope_and_registry(None) as registry:
        assert registry is other
    assert down.root is MODELS
    """
    )


def test_missing_name_of_another_scope_says_how_to_reach_it():
    notes = after_mmengine(
        SCOPES
        + """
    try:
        build_norm_layer(dict(type="MyNorm"), 3)
    except KeyError as error:
        print(*error.__notes__)
    """
    )
    assert "'MyNorm' is registered in the scope 'down'" in notes
    assert "init_default_scope" in notes


def test_package_of_a_scope_is_imported(tmp_path):
    package = tmp_path / "late_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "layers.py").write_text(
        "from torch import nn\n"
        "from .registry import MODELS\n"
        "@MODELS.register_module()\n"
        "class LateNorm(nn.BatchNorm2d): ...\n"
    )
    (package / "registry.py").write_text(
        "from mmengine import Registry, MODELS as ROOT\n"
        "MODELS = Registry('model', parent=ROOT, locations=['late_package.layers'])\n"
    )
    after_mmengine(
        f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from mmcv.cnn import build_norm_layer
        from mmengine.registry import MODELS, init_default_scope
        assert MODELS.get("late_package.LateNorm").__module__ == "late_package.layers"
        init_default_scope("late_package")
        assert build_norm_layer(dict(type="LateNorm"), 3)[0] == "bn"
        """
    )


def test_initializers_registered_in_mmengine_are_found():
    after_mmengine(
        """
        from mmcv.cnn.bricks.transformer import FFN
        from mmengine.model import BaseInit, update_init_info
        from mmengine.registry import WEIGHT_INITIALIZERS

        @WEIGHT_INITIALIZERS.register_module()
        class Sevens(BaseInit):
            def __call__(self, module):
                module.layers[1].weight.data.fill_(7)
                if hasattr(module, "_params_init_info"):
                    update_init_info(module, init_info=self._get_init_info())

        ffn = FFN(2, 4, init_cfg=dict(type="Sevens"))
        ffn.init_weights()
        assert (ffn.layers[1].weight == 7).all()
        """
    )


def test_operators_are_registered_in_models():
    after_mmengine(
        """
        import brickwork_ops, mmcv.ops
        from mmengine.registry import MODELS
        config = dict(type="DCNv2", in_channels=4, out_channels=4, kernel_size=3)
        assert type(MODELS.build(config)) is brickwork_ops.ModulatedDeformConv2dPack
        assert mmcv.ops.nms is brickwork_ops.nms
        """
    )


def test_names_that_nothing_provides_are_placeholders():
    message = after_mmengine(
        """
        from brickwork.compat import NotCoveredError, is_placeholder
        from mmcv.image import imread, imrotate
        from mmcv.transforms import BaseTransform, LoadImageFromFile, TRANSFORMS
        from mmcv.video import flowread
        assert not is_placeholder(imread)
        assert is_placeholder(BaseTransform) and is_placeholder(imrotate)

        @TRANSFORMS.register_module()
        class Own(BaseTransform): ...

        try:
            flowread("file.flo")
        except NotCoveredError as error:
            print(error)
        try:
            from mmcv.transforms import NoTransform
        except ImportError as error:
            print(str(error).split(" (")[0])
        """
    )
    error, missing = message.splitlines()
    assert error.startswith("mmcv.video.optflow.flowread (imported at <string>:")
    assert "pip install mmcv-lite==2.1.0" in error
    assert missing == "cannot import name 'NoTransform' from 'mmcv.transforms'"


def test_install_without_mmengine_says_what_to_install():
    message = run_python(
        "-c",
        "import sys\n"
        "sys.modules['mmengine'] = None\n"
        "import brickwork.compat.mmengine as compat\n"
        "try:\n    compat.install()\n"
        "except ModuleNotFoundError as error:\n    print(error)\n",
    )
    assert "pip install 'brickwork[mmengine]'" in message
