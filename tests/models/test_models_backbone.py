"""What networks share, and the options of detection-style residual networks."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from brickwork_models import (
    MODELS,
    Bottleneck,
    Darknet,
    HRNet,
    MobileNetV2,
    RegNet,
    Res2Net,
    ResNet,
    ResNetV1d,
    ResNeXt,
    build_model,
    build_model_from_cfg,
    hrnet_stages,
    imagenet_classes,
)
from brickwork_models.errors import (
    ArchitectureError,
    NoArchitectureError,
    NoWeightsError,
    UnknownNameError,
    UnsupportedOptionError,
)
from torch import nn

IMAGE = torch.zeros(1, 3, 64, 64)


def test_outputs_are_those_asked_for() -> None:
    model = ResNet(18, out_indices=(1, -1)).eval()
    assert [tuple(x.shape) for x in model(IMAGE)] == [(1, 128, 8, 8), (1, 512, 2, 2)]
    assert model.out_channels == (128, 512)
    assert isinstance(ResNet(18, out_indices=(0,)).eval()(IMAGE), tuple)


def test_stages_behind_the_last_output_do_not_run() -> None:
    model = ResNet(18, out_indices=(0,)).eval()
    model.layer2 = nn.Identity()
    model.layer2.forward = None
    assert len(model(IMAGE)) == 1


@pytest.mark.parametrize("stages", [-1, 0, 1, 2])
@pytest.mark.parametrize("deep", [False, True])
def test_frozen_stages(stages: int, deep: bool) -> None:
    model = ResNet(18, frozen_stages=stages, deep_stem=deep, norm_eval=False)
    covered = ("stem", "conv1", "bn1") if stages >= 0 else ()
    covered += tuple(f"layer{i}" for i in range(1, stages + 1))
    for mode in (None, True, False, True):
        if mode is not None:
            model.train(mode)
        for name, parameter in model.named_parameters():
            assert parameter.requires_grad is not name.startswith(covered)
    for name, module in model.named_modules():
        if name and isinstance(module, nn.BatchNorm2d):
            assert module.training is not name.startswith(covered)


def test_norms_stay_in_evaluation_mode() -> None:
    model = ResNet(18).train()
    assert not any(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    assert model.layer1.training
    model = ResNet(18, norm_eval=False).train()
    assert all(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))


def test_blocks_start_as_the_identity() -> None:
    model = ResNet(18)
    model.init_weights()
    assert model.layer1[0].bn2.weight.abs().sum() == 0
    assert (model.layer1[0].bn1.weight == 1).all()
    model = ResNet(
        50, zero_init_residual=False, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,)
    )
    model.init_weights()
    assert (model.layer1[0].bn3.weight == 1).all()


@pytest.mark.parametrize("build", [ResNet, Res2Net, RegNet, HRNet, MobileNetV2, Darknet])
def test_pretrained_is_short_for_an_init_cfg(build: type[nn.Module]) -> None:
    options = {ResNet: (18,), Res2Net: (50,), RegNet: ("regnetx_200mf",)}
    options[HRNet] = (hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1)),)
    with torch.device("meta"):
        model = build(*options.get(build, ()), pretrained="torchvision://resnet18")
    assert model.init_cfg == {"type": "Pretrained", "checkpoint": "torchvision://resnet18"}
    with pytest.raises(ArchitectureError, match="init_cfg"):
        build(*options.get(build, ()), pretrained="a.pth", init_cfg={"type": "Kaiming"})


def test_blocks_keep_their_norms_where_weights_are_loaded(tmp_path: Path) -> None:
    source = ResNet(18)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = ResNet(18, pretrained=str(tmp_path / "weights.pth"))
    model.init_weights()
    assert torch.equal(model.layer1[0].bn2.weight, torch.ones(64))


def test_convolutions_of_mobile_networks_take_a_config() -> None:
    model = MobileNetV2(conv_cfg={"type": "ConvWS"})
    kinds = {type(m).__name__ for m in model.modules() if isinstance(m, nn.Conv2d)}
    assert kinds == {"ConvWS2d"}


def test_kaiming_has_the_variance_of_the_paper() -> None:
    model = ResNet(18)
    model.init_weights()
    weight = model.layer4[0].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)


def test_styles_stride_in_their_convolution() -> None:
    assert ResNet(50).layer2[0].conv2.stride == (2, 2)
    caffe = ResNet(50, style="caffe")
    assert (caffe.layer2[0].conv1.stride, caffe.layer2[0].conv2.stride) == ((2, 2), (1, 1))


def test_variants() -> None:
    v1d = ResNetV1d(50)
    assert [type(m).__name__ for m in v1d.layer2[0].downsample] == [
        "AvgPool2d",
        "Conv2d",
        "BatchNorm2d",
    ]
    assert v1d.stem[0].stride == (2, 2)
    assert v1d.stem_names == ("stem", "maxpool")
    gn = ResNet(50, norm_cfg={"type": "GN", "num_groups": 32}, conv_cfg={"type": "ConvWS"})
    assert isinstance(gn.gn1, nn.GroupNorm)
    assert type(gn.layer1[0].conv2).__name__ == "ConvWS2d"
    assert not any(isinstance(m, nn.BatchNorm2d) for m in gn.modules())
    wide = ResNet(50, base_width=128)
    assert wide.layer1[0].conv2.weight.shape == (128, 128, 3, 3)
    assert ResNeXt(50, groups=32).layer1[0].conv2.weight.shape == (128, 4, 3, 3)


def test_dilation_keeps_resolution() -> None:
    model = ResNet(50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)).eval()
    assert model(IMAGE)[-1].shape == (1, 2048, 8, 8)


def test_plugins_go_where_they_are_put() -> None:
    plugins = [
        {
            "cfg": {"type": "ContextBlock", "ratio": 1 / 16},
            "stages": (False, True, True, True),
            "position": "after_conv3",
        },
        {"cfg": {"type": "NonLocal2d", "postfix": "_a"}, "position": "after_conv2"},
        {"cfg": {"type": "NonLocal2d", "postfix": "_b"}, "position": "after_conv1"},
    ]
    stored = [dict(plugin, cfg=dict(plugin["cfg"])) for plugin in plugins]
    model = ResNet(50, plugins=plugins).eval()
    assert plugins == stored
    names = [n for n, _ in model.layer2[0].named_children() if "block" in n]
    assert names == ["nonlocal_block_b", "nonlocal_block_a", "context_block"]
    assert not hasattr(model.layer1[0], "context_block")
    assert model.layer2[0].context_block.in_channels == 512
    assert model(IMAGE)[-1].shape == (1, 2048, 2, 2)


def test_generalized_attention_as_plugin() -> None:
    attention = {"type": "GeneralizedAttention", "spatial_range": -1, "num_heads": 8}
    cfg = {**attention, "attention_type": "0010", "kv_stride": 2}
    model = ResNet(50, plugins=[{"cfg": cfg, "position": "after_conv2"}]).eval()
    assert any("attention" in name for name, _ in model.layer1[0].named_children())
    assert model(IMAGE)[-1].shape == (1, 2048, 2, 2)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ResNet(51), ArchitectureError, "depth=51"),
        (lambda: ResNet(18, out_indices=(4,)), ArchitectureError, "out_indices"),
        (lambda: ResNet(18, frozen_stages=5), ArchitectureError, "frozen_stages=5"),
        (lambda: ResNet(18, num_classes=0), ArchitectureError, "num_classes=0"),
        (lambda: ResNet(18, dilations=(1, 1)), ArchitectureError, "dilations"),
        (lambda: ResNet(18, base_width=128), ArchitectureError, "no bottlenecks"),
        (lambda: ResNet(50, dcn={"type": "DCN"}), UnsupportedOptionError, "CONV_LAYERS"),
        (
            lambda: ResNet(
                18, plugins=[{"cfg": {"type": "ContextBlock"}, "position": "after_conv3"}]
            ),
            UnsupportedOptionError,
            "bottlenecks",
        ),
        (
            lambda: ResNet(50, plugins=[{"cfg": {"type": "ContextBlock"}, "position": "before"}]),
            ArchitectureError,
            "after_conv1",
        ),
        (
            lambda: ResNet(50, plugins=[{"cfg": {}, "position": "after_conv1", "stages": (True,)}]),
            ArchitectureError,
            "stages",
        ),
        (lambda: Res2Net(18), ArchitectureError, "depth=18"),
        (lambda: Res2Net(50, scales=1), ArchitectureError, "ResNet"),
        (lambda: RegNet("regnetz_1gf"), ArchitectureError, "regnetx_400mf"),
        (lambda: HRNet({"stage1": {}}), ArchitectureError, "stage2, stage3, stage4"),
        (lambda: Darknet(19), ArchitectureError, "depth=19"),
        (lambda: MobileNetV2(out_indices=(8,)), ArchitectureError, "8 stages"),
    ],
)
def test_bad_arguments_say_what_is_allowed(
    make: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make()


def test_hrnet_checks_its_branches() -> None:
    extra = hrnet_stages(18)
    extra["stage2"]["num_blocks"] = (4,)
    with pytest.raises(ArchitectureError, match="num_blocks"):
        HRNet(extra)
    with pytest.raises(ArchitectureError, match="multiscale_output"):
        HRNet(hrnet_stages(18), multiscale_output=False, num_classes=10)


def test_hrnet_can_return_its_finest_branch_alone() -> None:
    model = HRNet(hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1)), multiscale_output=False).eval()
    assert [tuple(x.shape) for x in model(IMAGE)] == [(1, 8, 16, 16)]


def test_regnet_widths_are_those_of_the_paper() -> None:
    # Table 9 of arXiv:2003.13678: widths of RegNetX-3.2GF.
    assert RegNet("regnetx_3.2gf").stage_channels == (96, 192, 432, 1008)
    assert RegNet("regnety_3.2gf").stage_channels == (72, 216, 576, 1512)
    numbers = {"w0": 88, "wa": 26.31, "wm": 2.25, "group_w": 48, "depth": 25, "bot_mul": 1.0}
    assert RegNet(numbers).stage_channels == (96, 192, 432, 1008)
    # Half a group counts as one in torchvision, and as none in the paper's code.
    assert RegNet("regnety_8.0gf").stage_channels == (168, 448, 896, 2016)
    assert RegNet("regnety_8.0gf_tv").stage_channels == (224, 448, 896, 2016)


def test_configs_build_networks_and_chains_of_them() -> None:
    config = {"type": "ResNet", "depth": 18}
    assert isinstance(build_model(config), ResNet)
    assert isinstance(MODELS.build(config), ResNet)
    chain = build_model_from_cfg([{"type": "Darknet"}, {"type": "DarkNet53"}], MODELS)
    assert isinstance(chain, nn.Sequential)
    assert len(chain) == 2
    assert config == {"type": "ResNet", "depth": 18}


def test_a_misspelt_config_says_so() -> None:
    with pytest.raises(KeyError, match="ResNet"):
        build_model({"type": "Resnet", "depth": 18})
    with pytest.raises(TypeError):
        build_model({"type": "ResNet", "dept": 18})


def test_a_block_takes_the_arguments_of_mmcv_by_position() -> None:
    block = Bottleneck(64, 16, 1, 1, None, "caffe", False).eval()
    assert block(torch.zeros(1, 64, 8, 8)).shape == (1, 64, 8, 8)


def test_classes_are_named_in_order() -> None:
    names = imagenet_classes()
    assert len(names) == 1000
    assert (names[0], names[281], names[967]) == ("tench", "tabby", "espresso")


@pytest.mark.parametrize(
    "error",
    [
        ArchitectureError("ResNet", "depth", 7, (18,)),
        UnsupportedOptionError("dcn", "no"),
        UnknownNameError("model", "resnt50", ["resnet50"]),
        NoArchitectureError("densenet121", ["torchvision://densenet121"], ["resnet50"]),
        NoWeightsError("darknet53", None, []),
    ],
)
def test_errors_pickle_and_are_one_line(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert "\n" not in str(error)
