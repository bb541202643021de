"""Code that imports mmengine and mmcv 2.x runs as it is, in a fresh interpreter."""

import json
from pathlib import Path

import pytest

from tests.support.compat import after_mmengine

EXPORTS = json.loads(Path(__file__).with_name("exports.json").read_text())["mmengine"]


def test_the_usual_imports_are_ours():
    after_mmengine(
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
    after_mmengine(
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


def test_a_build_looks_in_the_default_scope():
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


def test_the_default_scope_comes_before_our_own_names():
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


def test_uninstalling_undoes_everything():
    after_mmengine(
        """
        import sys, brickwork_init, brickwork_layers
        registries = [brickwork_layers.NORM_LAYERS, brickwork_init.INITIALIZERS]
        before = [type(registry) for registry in registries]
        from mmengine.registry import MODELS, init_default_scope
        from torch import nn
        MODELS.register_module("MyNorm", module=type("MyNorm", (nn.BatchNorm2d,), {}))
        init_default_scope("mmengine")
        assert [type(registry) for registry in registries] != before

        compat.uninstall()
        assert [type(registry) for registry in registries] == before
        assert not [name for name in sys.modules if name.split(".")[0] in ("mmcv", "mmengine")]
        try:
            brickwork_layers.build_norm_layer(dict(type="MyNorm"), 3)
        except KeyError:
            compat.install()
        from mmengine.registry import MODELS, DefaultScope
        assert "MyNorm" not in MODELS and DefaultScope.get_current_instance() is None
        assert brickwork_layers.build_norm_layer(dict(type="BN"), 3)[0] == "bn"
        """
    )


@pytest.mark.parametrize("module", [module for module in EXPORTS if module.startswith("mmcv")])
def test_a_star_import_gives_what_the_original_gives(module):
    names = after_mmengine(f"from {module} import *\nprint(*dir())").split()
    ours = {name for name in names if not name.startswith("__")} - {"compat"}
    assert ours == set(EXPORTS[module].split())


def test_a_scope_holds_for_a_block():
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


def test_a_name_in_another_scope_says_how_to_reach_it():
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


def test_the_package_of_a_scope_is_imported(tmp_path):
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
        from mmengine.model import BaseInit, BaseModule, update_init_info
        from mmengine.registry import WEIGHT_INITIALIZERS
        from torch import nn

        @WEIGHT_INITIALIZERS.register_module()
        class Sevens(BaseInit):
            def __call__(self, module):
                module.layer.weight.data.fill_(7)
                if hasattr(module, "_params_init_info"):
                    update_init_info(module, init_info=self._get_init_info())

        class Net(BaseModule):
            def __init__(self):
                super().__init__(init_cfg=dict(type="Sevens"))
                self.layer = nn.Linear(2, 2)

        net = Net()
        net.init_weights()
        update_init_info(net, "by hand")
        assert (net.layer.weight == 7).all()
        """
    )


def test_what_stands_in_for_mmengine_in_model_code():
    out = after_mmengine(
        """
        import mmengine, logging
        from mmengine.dist import get_dist_info, get_rank, get_world_size, is_main_process
        from mmengine.logging import MMLogger, print_log
        from mmengine.model.utils import revert_sync_batchnorm
        from mmengine.utils.path import mkdir_or_exist
        assert (get_rank(), get_world_size(), is_main_process()) == (0, 1, True)
        assert MMLogger.get_current_instance().name == "mmengine"
        logger = MMLogger.get_instance("own", log_level="WARNING")
        assert MMLogger.get_current_instance() is logger
        assert MMLogger.check_instance_created("own")
        logger.handlers[0].stream = __import__("sys").stdout
        print_log("hello", logger="current", level=logging.WARNING)
        assert mmengine.MODELS is mmengine.registry.MODELS
        """
    )
    assert out.endswith("own - WARNING - hello")


def test_a_checkpoint_is_saved_as_the_dict_that_it_is(tmp_path):
    after_mmengine(
        f"""
        import torch
        from mmengine.runner import load_checkpoint, save_checkpoint
        from torch import nn
        model, file = nn.Linear(2, 2), {str(tmp_path / "new" / "one.pth")!r}
        save_checkpoint(dict(state_dict=model.state_dict(), meta=dict(epoch=3)), file)
        again = nn.Linear(2, 2)
        assert load_checkpoint(again, file)["meta"] == dict(epoch=3)
        assert torch.equal(again.weight, model.weight)
        try:
            save_checkpoint({{}}, file, backend_args=dict(backend="petrel"))
        except ValueError as error:
            assert "petrel" in str(error)
        """
    )


def test_one_instance_by_name_where_a_class_is_managed():
    after_mmengine(
        """
        import sys, types
        manager = sys.modules["mmengine.utils.manager"] = types.ModuleType("mmengine.utils.manager")
        class ManagerMixin:
            @classmethod
            def get_instance(cls, name, **options):
                return "managed", name, options
        manager.ManagerMixin = ManagerMixin
        from mmengine.registry import VISUALIZERS
        VISUALIZERS.register_module(module=type("Drawer", (ManagerMixin,), {}))
        built = VISUALIZERS.build(dict(type="Drawer", name="one", size=2))
        assert built == ("managed", "one", {"size": 2})
        """
    )


def test_runners_and_schedulers_are_built_their_own_way():
    after_mmengine(
        """
        from mmengine.registry import PARAM_SCHEDULERS, RUNNERS
        class Runner:
            @classmethod
            def from_cfg(cls, cfg):
                return "runner", cfg
        RUNNERS.register_module(module=Runner)
        config = dict(epochs=2, _scope_="mmengine")
        assert RUNNERS.build(config) == ("runner", dict(epochs=2)) and "_scope_" in config

        class Cosine(dict):
            @classmethod
            def build_iter_from_epoch(cls, **options):
                return "by iteration", options
        PARAM_SCHEDULERS.register_module(module=Cosine)
        config = dict(type="Cosine", T_max=3, epoch_length=4)
        assert PARAM_SCHEDULERS.build(config) == dict(T_max=3)
        built = PARAM_SCHEDULERS.build({**config, "convert_to_iter_based": True})
        assert built == ("by iteration", dict(T_max=3, epoch_length=4))
        """
    )


def test_what_is_not_covered_says_so():
    message = after_mmengine(
        """
        try:
            from mmengine.hooks import Hook
        except ImportError as error:
            print(error)
        """
    )
    assert message.startswith("mmengine.hooks is not covered")
    assert "Install mmengine 0.x" in message
