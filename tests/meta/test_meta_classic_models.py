"""ResNet, VGG and AlexNet of mmcv.cnn: weights under a seed, signatures and conventions."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from brickwork import cnn
from brickwork_models.errors import ArchitectureError
from torch import nn

from tests.models.stored import MMCV_CLASSIC, assert_matches_samples
from tests.support.tensors import states_equal


@pytest.mark.parametrize("expression", MMCV_CLASSIC)
def test_weights_match_mmcv_under_seed(expression: str) -> None:
    stored = MMCV_CLASSIC[expression]
    torch.manual_seed(0)
    model = eval(expression, {"ResNet": cnn.ResNet, "VGG": cnn.VGG, "AlexNet": cnn.AlexNet})
    assert_matches_samples(model, stored["built"])
    torch.manual_seed(0)
    model.init_weights()
    assert_matches_samples(model, stored["initialized"])


def test_signatures_match_mmcv() -> None:
    resnet = list(inspect.signature(cnn.ResNet).parameters.values())
    assert [(p.name, p.default) for p in resnet[1:]] == [
        ("num_stages", 4),
        ("strides", (1, 2, 2, 2)),
        ("dilations", (1, 1, 1, 1)),
        ("out_indices", (0, 1, 2, 3)),
        ("style", "pytorch"),
        ("frozen_stages", -1),
        ("bn_eval", True),
        ("bn_frozen", False),
        ("with_cp", False),
    ]
    stage = inspect.signature(cnn.make_res_layer)
    assert list(stage.parameters) == [
        "block", "inplanes", "planes", "blocks", "stride", "dilation", "style", "with_cp"
    ]  # fmt: skip


def test_single_output_is_not_a_tuple() -> None:
    image = torch.zeros(1, 3, 64, 64)
    assert cnn.ResNet(18, out_indices=(3,)).eval()(image).shape == (1, 512, 2, 2)
    assert len(cnn.ResNet(18).eval()(image)) == 4
    assert cnn.VGG(11, out_indices=(4,)).eval()(image).shape == (1, 512, 2, 2)
    assert cnn.AlexNet().eval()(image).shape == (1, 256, 1, 1)


def test_vgg_returns_feature_maps_and_logits() -> None:
    model = cnn.VGG(11, num_classes=2, out_indices=(0, 4)).eval()
    shapes = [tuple(x.shape) for x in model(torch.zeros(1, 3, 224, 224))]
    assert shapes == [(1, 64, 112, 112), (1, 512, 7, 7), (1, 2)]


def test_attributes_match_mmcv() -> None:
    vgg, alexnet = cnn.VGG(11), cnn.AlexNet(num_classes=3)
    assert (vgg.num_classes, vgg.module_name, vgg.inplanes) == (-1, "features", 512)
    assert vgg.range_sub_modules == [[0, 3], [3, 6], [6, 11], [11, 16], [16, 21]]
    assert alexnet.num_classes == 3


def test_resnet_freezes_in_train_and_not_before() -> None:
    model = cnn.ResNet(18, frozen_stages=1, bn_frozen=True)
    assert all(p.requires_grad for p in model.parameters())
    assert model.train() is model
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert not any(name.startswith(("conv1", "bn1", "layer1")) for name in trained)
    assert "layer2.0.conv1.weight" in trained
    assert not any(".bn" in name for name in trained)
    assert not model.layer1.training
    assert model.layer2.training
    assert not model.layer2[0].bn1.training


def test_vgg_freezes_first_stages_in_train() -> None:
    model = cnn.VGG(11, frozen_stages=2).train()
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad]
    assert frozen == [f"features.{i}.{part}" for i in (0, 3) for part in ("weight", "bias")]


def test_activation_checkpointing_keeps_gradients() -> None:
    torch.manual_seed(0)
    plain = cnn.ResNet(50, bn_eval=False)
    again = cnn.ResNet(50, bn_eval=False, with_cp=True)
    again.load_state_dict(plain.state_dict())
    image = torch.randn(2, 3, 32, 32)
    for model in (plain, again):
        model.train()(image)[-1].square().mean().backward()
    for a, b in zip(plain.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_custom_block_gets_arguments_of_mmcv() -> None:
    class Block(nn.Module):
        expansion = 2

        def __init__(
            self, inplanes, planes, stride, dilation, downsample=None, style="", with_cp=0
        ):
            super().__init__()
            self.seen = (inplanes, planes, stride, dilation, downsample is not None, style, with_cp)

    layer = cnn.make_res_layer(Block, 8, 4, 2, 2, 3, "caffe", True)
    assert [block.seen for block in layer] == [
        (8, 4, 2, 3, True, "caffe", True),
        (8, 4, 1, 3, False, "caffe", True),
    ]


def test_init_weights_loads_a_file(tmp_path: Path) -> None:
    source = cnn.ResNet(18)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = cnn.ResNet(18)
    model.init_weights(str(tmp_path / "weights.pth"))
    assert states_equal(model.state_dict(), source.state_dict())
    with pytest.raises(TypeError, match="pretrained must be a path, a URI or None, got 7"):
        model.init_weights(7)


def test_init_weights_keeps_loaded_weights_and_draws_the_rest(tmp_path: Path) -> None:
    source = cnn.ResNet(18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = cnn.ResNet(18)
    model.init_weights(str(tmp_path / "weights.pth"))
    before = model.layer4[0].conv1.weight.clone()
    model.init_weights()
    assert not torch.equal(model.layer4[0].conv1.weight, before)
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: cnn.ResNet(20), "depth must be one of 18, 34, 50, 101, 152, got 20"),
        (lambda: cnn.ResNet(18, num_stages=5), "num_stages must be 1 to 4, got 5"),
        (
            lambda: cnn.ResNet(18, strides=(1,)),
            "strides must be a sequence of length 4",
        ),
        (
            lambda: cnn.ResNet(50, style="tf"),
            "style must be one of pytorch, caffe, got 'tf'",
        ),
        (lambda: cnn.VGG(12), "depth must be one of 11, 13, 16, 19, got 12"),
        (lambda: cnn.VGG(11, num_stages=0), "num_stages must be 1 to 5, got 0"),
    ],
)
def test_bad_argument_error_says_what_is_allowed(make: object, message: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.slow
def test_resnet_compiles_exports_and_builds_on_meta_device() -> None:
    image = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    model = cnn.ResNet(18, out_indices=(3,)).eval()
    with torch.no_grad():
        expected = model(image)
        compiled = torch.compile(model, fullgraph=True, backend="eager")
        torch.testing.assert_close(compiled(image), expected)
        torch.testing.assert_close(torch.export.export(model, (image,)).module()(image), expected)
    torch.compiler.reset()
    with torch.device("meta"):
        assert cnn.ResNet(18)(image.to("meta"))[-1].shape == expected.shape
