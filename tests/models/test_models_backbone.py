"""Behavior that models share, and the options of detection-style residual models."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from brickwork_models import (
    MODELS,
    VGG,
    AlexNet,
    Bottleneck,
    ConvNeXt,
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
    MissingLibraryError,
    ModelError,
    NoArchitectureError,
    NoWeightsError,
    UnknownNameError,
    UnsupportedOptionError,
)
from torch import nn

IMAGE = torch.zeros(1, 3, 64, 64)
SMALL_CONVNEXT = {"channels": (8, 16, 32, 64), "depths": (1, 1, 2, 1)}


@pytest.mark.parametrize(("kind", "values"), [("DCN", 2), ("DCNv2", 3)])
def test_dcn_makes_the_3x3_convolutions_of_its_stages_deformable(kind: str, values: int) -> None:
    dcn = {"type": kind, "deform_groups": 2, "fallback_on_stride": False}
    model = ResNeXt(50, groups=2, dcn=dcn, stage_with_dcn=(False, False, True, True))
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    offsets = [key for key in shapes if key.endswith("conv2.conv_offset.weight")]
    assert offsets == [
        f"layer{stage}.{block}.conv2.conv_offset.weight"
        for stage, blocks in ((3, 6), (4, 3))
        for block in range(blocks)
    ]
    assert {shapes[key][0] for key in offsets} == {2 * values * 9}
    assert dcn == {"type": kind, "deform_groups": 2, "fallback_on_stride": False}
    model.init_weights()
    out = model(IMAGE.clone().requires_grad_())
    assert [x.shape[1] for x in out] == list(model.out_channels)
    out[-1].sum().backward()
    assert all(p.grad is not None for n, p in model.named_parameters() if "conv_offset" in n)


def test_dcn_leaves_strided_convolutions_plain_if_asked() -> None:
    dcn = {"type": "DCNv2", "fallback_on_stride": True}
    model = ResNet(50, dcn=dcn, stage_with_dcn=(False, False, False, True))
    kinds = [type(block.conv2).__name__ for block in model.layer4]
    assert kinds == ["Conv2d", "ModulatedDeformConv2dPack", "ModulatedDeformConv2dPack"]


def test_outputs_match_out_indices() -> None:
    model = ResNet(18, out_indices=(1, -1)).eval()
    assert [tuple(x.shape) for x in model(IMAGE)] == [(1, 128, 8, 8), (1, 512, 2, 2)]
    assert model.out_channels == (128, 512)
    assert model.out_strides == (8, 32)
    assert isinstance(ResNet(18, out_indices=(0,)).eval()(IMAGE), tuple)


def test_stages_after_last_output_do_not_run() -> None:
    model = ResNet(18, out_indices=(0,)).eval()
    model.layer2 = nn.Identity()
    model.layer2.forward = None
    assert len(model(IMAGE)) == 1


@pytest.mark.parametrize("stages", [-1, 0, 1, 2])
@pytest.mark.parametrize("deep", [False, True])
def test_frozen_stages_get_no_gradient_and_stay_in_eval_mode(stages: int, deep: bool) -> None:
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


def test_norm_eval_keeps_batch_norms_in_eval_mode() -> None:
    model = ResNet(18).train()
    assert not any(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    assert model.layer1.training
    model = ResNet(18, norm_eval=False).train()
    assert all(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))


def test_zero_init_residual_zeroes_last_norm() -> None:
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
def test_pretrained_sets_init_cfg(build: type[nn.Module]) -> None:
    options = {ResNet: (18,), Res2Net: (50,), RegNet: ("regnetx_200mf",)}
    options[HRNet] = (hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1)),)
    with torch.device("meta"):
        model = build(*options.get(build, ()), pretrained="torchvision://resnet18")
    assert model.init_cfg == {"type": "Pretrained", "checkpoint": "torchvision://resnet18"}
    with pytest.raises(ArchitectureError, match="init_cfg"):
        build(*options.get(build, ()), pretrained="a.pth", init_cfg={"type": "Kaiming"})


def test_pretrained_disables_zero_init_residual(tmp_path: Path) -> None:
    source = ResNet(18)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = ResNet(18, pretrained=str(tmp_path / "weights.pth"))
    model.init_weights()
    assert torch.equal(model.layer1[0].bn2.weight, torch.ones(64))


def test_conv_cfg_reaches_all_convolutions_of_mobilenet() -> None:
    model = MobileNetV2(conv_cfg={"type": "ConvWS"})
    kinds = {type(m).__name__ for m in model.modules() if isinstance(m, nn.Conv2d)}
    assert kinds == {"ConvWS2d"}


def test_kaiming_init_has_variance_of_the_paper() -> None:
    model = ResNet(18)
    model.init_weights()
    weight = model.layer4[0].conv2.weight
    assert weight.std().item() == pytest.approx((2 / (512 * 9)) ** 0.5, rel=0.01)


def test_style_selects_convolution_with_stride() -> None:
    assert ResNet(50).layer2[0].conv2.stride == (2, 2)
    caffe = ResNet(50, style="caffe")
    assert (caffe.layer2[0].conv1.stride, caffe.layer2[0].conv2.stride) == ((2, 2), (1, 1))


def test_variants_have_their_layers() -> None:
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


def test_dilation_instead_of_stride_keeps_resolution() -> None:
    model = ResNet(50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)).eval()
    assert model(IMAGE)[-1].shape == (1, 2048, 8, 8)


def test_plugins_are_inserted_at_their_position_and_stage() -> None:
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


def test_generalized_attention_works_as_plugin() -> None:
    attention = {"type": "GeneralizedAttention", "spatial_range": -1, "num_heads": 8}
    cfg = {**attention, "attention_type": "0010", "kv_stride": 2}
    model = ResNet(50, plugins=[{"cfg": cfg, "position": "after_conv2"}]).eval()
    assert any("attention" in name for name, _ in model.layer1[0].named_children())
    assert model(IMAGE)[-1].shape == (1, 2048, 2, 2)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (
            lambda: ResNet(51),
            ArchitectureError,
            "depth must be one of 18, 34, .* got 51",
        ),
        (lambda: ResNet(18, out_indices=(4,)), ArchitectureError, "out_indices must be"),
        (lambda: ResNet(18, out_indices=(1, 1)), ArchitectureError, "distinct stage indices"),
        (lambda: ResNet(18, out_indices=(3, -1)), ArchitectureError, "distinct stage indices"),
        (lambda: ResNet(18, out_indices=2), ArchitectureError, "a sequence .* got 2"),
        (lambda: ConvNeXt(out_indices="12"), ArchitectureError, "a sequence .* got '12'"),
        (lambda: VGG(11, out_indices=(1, 1)), ArchitectureError, "distinct stage indices"),
        (lambda: ConvNeXt({"channels": (8,), "depths": (1,)}), ArchitectureError, "four channels"),
        (lambda: AlexNet(out_indices=0), ArchitectureError, "a sequence .* got 0"),
        (lambda: ResNet(18, frozen_stages=5), ArchitectureError, "frozen_stages must be .* got 5"),
        (
            lambda: ResNet(18, num_classes=0),
            ArchitectureError,
            "num_classes must be at least 1",
        ),
        (lambda: ResNet(18, dilations=(1, 1)), ArchitectureError, "dilations"),
        (lambda: ResNet(18, base_width=128), ArchitectureError, "no bottlenecks"),
        (
            lambda: ResNet(50, dcn={"type": "DCN"}),
            ArchitectureError,
            r"stage_with_dcn must be a sequence of length 4, one item per stage, got \(\)",
        ),
        (
            lambda: ResNet(18, dcn={"type": "DCN"}, stage_with_dcn=(True,) * 4),
            UnsupportedOptionError,
            "dcn in a BasicBlock",
        ),
        (
            lambda: Res2Net(50, dcn={"type": "DCN"}, stage_with_dcn=(True,) * 4),
            UnsupportedOptionError,
            "dcn in a Bottle2neck",
        ),
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
        (lambda: Res2Net(18), ArchitectureError, "depth must be one of 50, 101, 152, got 18"),
        (lambda: Res2Net(50, scales=1), ArchitectureError, "ResNet"),
        (lambda: RegNet("regnetz_400mf"), ArchitectureError, "did you mean"),
        (lambda: HRNet({"stage1": {}}), ArchitectureError, "stage2, stage3, stage4"),
        (lambda: Darknet(19), ArchitectureError, "depth must be 53, got 19"),
        (lambda: MobileNetV2(out_indices=(8,)), ArchitectureError, "from -8 to 7"),
    ],
)
def test_bad_argument_error_says_what_is_allowed(
    make: object, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        make()


def test_hrnet_refuses_inconsistent_branches() -> None:
    extra = hrnet_stages(18)
    extra["stage2"]["num_blocks"] = (4,)
    with pytest.raises(ArchitectureError, match="num_blocks"):
        HRNet(extra)
    with pytest.raises(ArchitectureError, match="multiscale_output"):
        HRNet(hrnet_stages(18), multiscale_output=False, num_classes=10)


def test_hrnet_without_multiscale_output_returns_finest_branch() -> None:
    model = HRNet(hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1)), multiscale_output=False).eval()
    assert [tuple(x.shape) for x in model(IMAGE)] == [(1, 8, 16, 16)]


def test_regnet_widths_match_the_paper() -> None:
    # Table 9 of arXiv:2003.13678: widths of RegNetX-3.2GF.
    assert RegNet("regnetx_3.2gf").stage_channels == (96, 192, 432, 1008)
    assert RegNet("regnety_3.2gf").stage_channels == (72, 216, 576, 1512)
    numbers = {"w0": 88, "wa": 26.31, "wm": 2.25, "group_w": 48, "depth": 25, "bot_mul": 1.0}
    assert RegNet(numbers).stage_channels == (96, 192, 432, 1008)
    # torchvision rounds half a group up, the code of the paper rounds it to even.
    assert RegNet("regnety_8.0gf").stage_channels == (168, 448, 896, 2016)
    assert RegNet("regnety_8.0gf_tv").stage_channels == (224, 448, 896, 2016)


def test_build_model_accepts_config_and_list_of_configs() -> None:
    config = {"type": "ResNet", "depth": 18}
    assert isinstance(build_model(config), ResNet)
    assert isinstance(MODELS.build(config), ResNet)
    chain = build_model_from_cfg([{"type": "Darknet"}, {"type": "DarkNet53"}], MODELS)
    assert isinstance(chain, nn.Sequential)
    assert len(chain) == 2
    assert config == {"type": "ResNet", "depth": 18}


def test_misspelled_config_is_refused() -> None:
    with pytest.raises(KeyError, match="ResNet"):
        build_model({"type": "Resnet", "depth": 18})
    with pytest.raises(TypeError):
        build_model({"type": "ResNet", "dept": 18})


def test_bottleneck_takes_positional_arguments_of_mmcv() -> None:
    block = Bottleneck(64, 16, 1, 1, None, "caffe", False).eval()
    assert block(torch.zeros(1, 64, 8, 8)).shape == (1, 64, 8, 8)


def test_imagenet_classes_are_in_order() -> None:
    names = imagenet_classes()
    assert len(names) == 1000
    assert (names[0], names[281], names[967]) == ("tench", "tabby", "espresso")


@pytest.mark.parametrize(
    "error",
    [
        ArchitectureError("ResNet", "depth", 7, (18,)),
        UnsupportedOptionError("dcn", "no"),
        UnknownNameError("model", "resnt50", ["resnet50"]),
        UnknownNameError("model", "timm://a", ["a"], suggestions=["torchvision://a"]),
        NoArchitectureError("densenet121", ["torchvision://densenet121"], ["resnet50"]),
        MissingLibraryError("timm://resnet50", "timm", ["resnet50"]),
        NoWeightsError("darknet53", None, []),
        NoWeightsError("resnet50", "v3", ["v1", "v2"]),
    ],
)
def test_error_pickles_and_has_one_line(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (lambda: ResNet(18, num_classes=5), "fc"),
        (lambda: HRNet(hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1)), num_classes=5), "classifier"),
        (lambda: ConvNeXt(SMALL_CONVNEXT, num_classes=5), "fc"),
        (lambda: VGG(11, num_classes=5, out_indices=()), "classifier.6"),
        (lambda: AlexNet(num_classes=5), "classifier.6"),
    ],
)
def test_reset_classifier_replaces_only_the_last_linear_layer(build, name: str) -> None:
    model = build().eval()
    before = dict(model.state_dict())
    model.reset_classifier(3)
    assert model.num_classes == 3
    assert model(torch.zeros(1, 3, 64, 64)).shape == (1, 3)
    layer = model.get_submodule(name)
    assert not layer.training
    assert layer.weight.std().item() == pytest.approx(0.01, rel=1.5)
    assert layer.bias.abs().sum() == 0
    for key, value in model.state_dict().items():
        assert (
            key in (f"{name}.weight", f"{name}.bias")
            or value is before[key]
            or torch.equal(value, before[key])
        )


def test_reset_classifier_of_a_backbone_is_refused() -> None:
    with pytest.raises(ModelError, match="ResNet has no classifier to reset"):
        ResNet(18).reset_classifier(3)
    with pytest.raises(ArchitectureError, match="num_classes must be at least 1, got 0"):
        ResNet(18, num_classes=2).reset_classifier(0)


@pytest.mark.parametrize(
    ("build", "size"),
    [
        (lambda: ResNet(18), 64),
        (lambda: ResNet(50, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)), 64),
        (lambda: RegNet("regnetx_200mf"), 64),
        (lambda: HRNet(hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1))), 64),
        (lambda: MobileNetV2(0.25, out_indices=range(8)), 64),
        (lambda: Darknet(out_indices=range(6)), 64),
        (lambda: ConvNeXt(SMALL_CONVNEXT, out_indices=(1, 3)), 64),
        (lambda: VGG(11), 64),
        (lambda: VGG(11, with_last_pool=False), 64),
        (lambda: AlexNet(as_tuple=True), 256),
    ],
)
def test_out_channels_and_out_strides_match_feature_maps(build, size: int) -> None:
    with torch.device("meta"):
        model = build().eval()
        maps = model(torch.empty(1, 3, size, size))
    assert tuple(m.shape[1] for m in maps) == model.out_channels
    if not isinstance(model, AlexNet):  # its convolutions without padding lose a few pixels
        assert tuple(size // m.shape[2] for m in maps) == model.out_strides
