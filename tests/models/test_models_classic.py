"""The networks of mmcv.cnn: its weights under a seed, its manners."""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path

import pytest
import torch
from brickwork_models import classic
from brickwork_models.errors import ArchitectureError
from torch import nn

STORED = json.loads(
    (Path(__file__).parent / "reference" / "mmcv_classic.json").read_text(encoding="utf-8")
)


def digest(model: nn.Module) -> str:
    total = hashlib.sha256()
    for _, value in sorted(model.state_dict().items()):
        total.update(value.numpy().tobytes())
    return total.hexdigest()


@pytest.mark.parametrize("call", STORED)
def test_weights_are_those_of_mmcv(call: str) -> None:
    torch.manual_seed(0)
    model = eval(call, vars(classic).copy())
    assert digest(model) == STORED[call]["built"]
    torch.manual_seed(0)
    model.init_weights()
    assert digest(model) == STORED[call]["initialised"]


def test_signatures_are_those_of_mmcv() -> None:
    resnet = list(inspect.signature(classic.ResNet).parameters.values())
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
    stage = inspect.signature(classic.make_res_layer)
    assert list(stage.parameters) == [
        "block", "inplanes", "planes", "blocks", "stride", "dilation", "style", "with_cp"
    ]  # fmt: skip


def test_a_single_output_is_no_tuple() -> None:
    image = torch.zeros(1, 3, 64, 64)
    assert classic.ResNet(18, out_indices=(3,)).eval()(image).shape == (1, 512, 2, 2)
    assert len(classic.ResNet(18).eval()(image)) == 4
    assert classic.VGG(11, out_indices=(4,)).eval()(image).shape == (1, 512, 2, 2)
    assert classic.AlexNet().eval()(image).shape == (1, 256, 1, 1)


def test_vgg_gives_maps_and_scores() -> None:
    model = classic.VGG(11, num_classes=2, out_indices=(0, 4)).eval()
    shapes = [tuple(x.shape) for x in model(torch.zeros(1, 3, 224, 224))]
    assert shapes == [(1, 64, 112, 112), (1, 512, 7, 7), (1, 2)]


def test_has_the_attributes_of_mmcv() -> None:
    vgg, alexnet = classic.VGG(11), classic.AlexNet(num_classes=3)
    assert (vgg.num_classes, vgg.module_name, vgg.inplanes) == (-1, "features", 512)
    assert vgg.range_sub_modules == [[0, 3], [3, 6], [6, 11], [11, 16], [16, 21]]
    assert alexnet.num_classes == 3


def test_freezes_in_train_and_not_before() -> None:
    model = classic.ResNet(18, frozen_stages=1, bn_frozen=True)
    assert all(p.requires_grad for p in model.parameters())
    assert model.train() is model
    trained = {name for name, p in model.named_parameters() if p.requires_grad}
    assert not any(name.startswith(("conv1", "bn1", "layer1")) for name in trained)
    assert "layer2.0.conv1.weight" in trained
    assert not any(".bn" in name for name in trained)
    assert not model.layer1.training
    assert model.layer2.training
    assert not model.layer2[0].bn1.training


def test_vgg_freezes_its_first_stages() -> None:
    model = classic.VGG(11, frozen_stages=2).train()
    frozen = [name for name, p in model.named_parameters() if not p.requires_grad]
    assert frozen == [f"features.{i}.{part}" for i in (0, 3) for part in ("weight", "bias")]


def test_recomputing_changes_nothing() -> None:
    torch.manual_seed(0)
    plain = classic.ResNet(50, bn_eval=False)
    again = classic.ResNet(50, bn_eval=False, with_cp=True)
    again.load_state_dict(plain.state_dict())
    image = torch.randn(2, 3, 32, 32)
    for model in (plain, again):
        model.train()(image)[-1].square().mean().backward()
    for a, b in zip(plain.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad)


def test_a_custom_block_gets_what_mmcv_gives_it() -> None:
    class Block(nn.Module):
        expansion = 2

        def __init__(
            self, inplanes, planes, stride, dilation, downsample=None, style="", with_cp=0
        ):
            super().__init__()
            self.seen = (inplanes, planes, stride, dilation, downsample is not None, style, with_cp)

    layer = classic.make_res_layer(Block, 8, 4, 2, 2, 3, "caffe", True)
    assert [block.seen for block in layer] == [
        (8, 4, 2, 3, True, "caffe", True),
        (8, 4, 1, 3, False, "caffe", True),
    ]


def test_weights_from_a_file(tmp_path: Path) -> None:
    source = classic.ResNet(18)
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = classic.ResNet(18)
    model.init_weights(str(tmp_path / "weights.pth"))
    assert digest(model) == digest(source)
    with pytest.raises(TypeError, match="pretrained"):
        model.init_weights(7)


def test_loaded_weights_stay_and_the_rest_is_drawn(tmp_path: Path) -> None:
    source = classic.ResNet(18, num_stages=1, strides=(1,), dilations=(1,), out_indices=(0,))
    torch.save(source.state_dict(), tmp_path / "weights.pth")
    model = classic.ResNet(18)
    model.init_weights(str(tmp_path / "weights.pth"))
    before = model.layer4[0].conv1.weight.clone()
    model.init_weights()
    assert not torch.equal(model.layer4[0].conv1.weight, before)
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: classic.ResNet(20), "depth=20"),
        (lambda: classic.ResNet(18, num_stages=5), "num_stages=5"),
        (lambda: classic.ResNet(18, strides=(1,)), "strides"),
        (lambda: classic.ResNet(50, style="tensorflow"), "style='tensorflow'"),
        (lambda: classic.VGG(12), "depth=12"),
        (lambda: classic.VGG(11, num_stages=0), "num_stages=0"),
    ],
)
def test_bad_arguments_say_what_is_allowed(make: object, argument: str) -> None:
    with pytest.raises(ArchitectureError, match="allowed") as caught:
        make()
    assert argument in str(caught.value)
