"""Networks by name: their entries, and weights that reach them by the fast path."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType

import brickwork_zoo
import pytest
import torch
from brickwork_models import (
    KEY_MAPS,
    AlexNet,
    HRNet,
    RegNet,
    Res2Net,
    ResNet,
    create_model,
    list_models,
    model_entry,
)
from brickwork_models._regnet import DESIGNS
from brickwork_models.errors import ModelError, NoWeightsError, UnknownNameError

# Parameters and GFLOPs that torchvision 0.29.1 publishes for its weights.
TORCHVISION = Path(__file__).parent / "reference" / "torchvision_sizes.json"


@pytest.fixture
def offer(cases: ModuleType):
    """Put a checkpoint of our making in the place of one of the zoo."""

    def put(uri: str, network: torch.nn.Module, prefix: str = "") -> dict[str, torch.Tensor]:
        home = Path(os.environ["BRICKWORK_HOME"])
        state = {
            key: cases.fill(key, tuple(value.shape)) for key, value in network.state_dict().items()
        }
        torch.save({prefix + key: value for key, value in state.items()}, home / "weights.pth")
        catalogue = {uri.removeprefix("open-mmlab://"): "weights.pth"}
        (home / "open_mmlab.json").write_text(json.dumps(catalogue), encoding="utf-8")
        return state

    return put


def test_pretrained_by_the_fast_path(offer) -> None:
    weights = offer("open-mmlab://resnet18_v1c", ResNet(18, deep_stem=True))
    model = create_model("resnet18_v1c", pretrained=True, num_classes=None)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key]), key


def test_what_the_file_does_not_hold_is_initialised(offer) -> None:
    weights = offer("open-mmlab://resnet18_v1c", ResNet(18, deep_stem=True))
    torch.manual_seed(0)
    model = create_model("resnet18_v1c", pretrained=True, num_classes=7, in_channels=1)
    assert model.fc.weight.shape == (7, 512)
    assert model.fc.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert torch.equal(model.layer1[0].conv1.weight, weights["layer1.0.conv1.weight"])
    # Another number of input channels keeps the sum of the kernels, so the scale of the output.
    stem = weights["stem.0.weight"]
    torch.testing.assert_close(model.stem[0].weight, stem.sum(1, keepdim=True))


def test_a_whole_classifier_of_mmcls(offer, cases: ModuleType) -> None:
    weights = offer("open-mmlab://darknet53", create_model("darknet53"), prefix="backbone.")
    model = create_model("darknet53", pretrained=True)
    assert torch.equal(model.conv1.conv.weight, weights["conv1.conv.weight"])
    assert torch.equal(model.fc.weight, weights["fc.weight"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("resnet50", ResNet),
        ("wide_resnet50_2", ResNet),
        ("regnet_y_800mf", RegNet),
        ("regnetx_032", RegNet),
        ("hrnet_w18", HRNet),
        ("res2net50_26w_4s", Res2Net),
        ("resnet50d", ResNet),
        ("detectron2/resnet50_caffe", ResNet),
    ],
)
def test_names_of_torchvision_timm_and_the_zoo(name: str, kind: type) -> None:
    assert model_entry(name).build is kind


def test_a_close_name_is_suggested() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'resnet50'"):
        create_model("resnt50")


def test_listing() -> None:
    names = list_models()
    assert names == sorted(names)
    assert len(names) > 90
    assert set(list_models("resnet*", pretrained=True)) >= {"resnet18", "resnet50", "resnet152"}
    assert "hrnet_w18_small" not in list_models(pretrained=True)
    assert list_models("regnetx_032") == ["regnetx_3.2gf"]
    assert list_models("nothing*") == []


@pytest.mark.parametrize(
    "name", ["resnet18", "vgg11", "alexnet", "mobilenet_v2", "efficientnet_lite0", "regnetx_200mf"]
)
def test_features_only_gives_a_tuple(name: str) -> None:
    last = -1 if name != "mobilenet_v2" else 6
    with torch.device("meta"):
        options = {} if name == "alexnet" else {"out_indices": (last,)}
        model = model_entry(name).make(in_channels=5, **options).eval()
        maps = model(torch.empty(1, 5, 64, 64))
    assert isinstance(maps, tuple)
    assert len(maps) == 1


def test_create_without_weights_is_initialised() -> None:
    torch.manual_seed(0)
    model = create_model("resnet18", num_classes=3)
    assert model.is_init
    assert model.fc.out_features == 3
    features = create_model("resnet18", features_only=True, out_indices=(1, 3))
    assert features.out_channels == (128, 512)
    assert isinstance(create_model("alexnet", num_classes=0), AlexNet)


def test_contradictions_and_missing_weights() -> None:
    with pytest.raises(ModelError, match="features_only=True"):
        create_model("resnet18", out_indices=(1,))
    with pytest.raises(NoWeightsError, match="there are none"):
        create_model("hrnet_w18_small", pretrained=True)
    with pytest.raises(NoWeightsError, match="imagenet1k_v1, imagenet1k_v2, mmcls"):
        create_model("resnet50", pretrained="imagenet1k_v3")


def test_every_weight_is_known_to_the_zoo() -> None:
    for name in list_models(pretrained=True):
        entry = model_entry(name)
        assert len({weights.tag for weights in entry.weights}) == len(entry.weights), name
        for weights in entry.weights:
            assert brickwork_zoo.resolve(weights.uri).places, weights.uri
            assert weights.key_map in KEY_MAPS
            assert weights.preprocessing.channel_order in ("RGB", "BGR")
            assert weights.licence


@pytest.mark.parametrize("uri", json.loads(TORCHVISION.read_text(encoding="utf-8")))
def test_parameters_and_flops_are_those_published(uri: str) -> None:
    name, parameters, gflops = json.loads(TORCHVISION.read_text(encoding="utf-8"))[uri]
    entry = model_entry(name)
    assert entry.parameters == parameters
    assert entry.flops / 1e9 == pytest.approx(gflops, rel=0.02)


def test_every_regnet_of_the_paper_has_a_name() -> None:
    assert {model_entry(arch).arguments["arch"] for arch in DESIGNS} == set(DESIGNS)


def test_caffe_models_take_blue_first_and_unscaled() -> None:
    images = model_entry("detectron2/resnet50_caffe").preprocessing
    assert images.channel_order == "BGR"
    assert images.std == (1.0, 1.0, 1.0)
    assert images.mean[0] < images.mean[2]
