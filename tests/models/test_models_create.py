"""Models by name: entries, weights, classifiers and feature maps."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from brickwork_models import (
    AlexNet,
    HRNet,
    RegNet,
    Res2Net,
    ResNet,
    create_model,
    list_models,
    model_entry,
    model_library,
)
from brickwork_models._families._regnet import DESIGNS
from brickwork_models._names import find
from brickwork_models.errors import ModelError, NoWeightsError, UnknownNameError
from brickwork_zoo._find import _scheme
from brickwork_zoo.errors import HashMismatchError
from torch import Tensor

from tests.models.reference.cases import fill
from tests.models.stored import stored_keys
from tests.support.tensors import state_shapes


@pytest.fixture
def serve_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that lets a URI resolve to a file with values for the given shapes."""

    def serve(uri: str, shapes: dict[str, list[int]]) -> dict[str, Tensor]:
        state = {key: fill(key, tuple(shape)) for key, shape in shapes.items()}
        path = tmp_path / "weights.pth"
        torch.save(state, path)
        monkeypatch.setitem(_scheme._RESOLVERS, uri, lambda _: str(path))
        return state

    return serve


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("resnet18", "torchvision-resnet18"),
        ("regnet_y_400mf", "torchvision-regnet_y_400mf"),
        ("mobilenet_v2.imagenet1k_v2", "torchvision-mobilenet_v2"),
        ("tf_efficientnet_lite0", "timm-tf_efficientnet_lite0"),
        ("hrnetv2_w18_small", "timm-hrnet_w18_small_v2"),
        ("mmcls://resnet18", "mmcls://resnet18"),
        ("mmcls://mobilenet_v2", "mmcls://mobilenet_v2"),
        ("res2net50_w14", "mmcls://res2net50_w14"),
        ("convnext_tiny", "torchvision-convnext_tiny"),
    ],
)
def test_pretrained_model_uses_every_tensor_of_the_checkpoint(
    name: str, reference: str, serve_checkpoint, caplog: pytest.LogCaptureFixture
) -> None:
    entry, tag = find(name)
    weights = next(w for w in entry.weights if tag in (None, w.tag))
    served = serve_checkpoint(weights.uri, stored_keys(reference))
    model = create_model(name, pretrained=True)
    assert not caplog.records  # no missing and no unexpected keys
    # Where each tensor belongs is tested by outputs; here, that each is used.
    loaded = model.state_dict()
    assert len(loaded) == len(served)
    assert {x.numpy().tobytes() for x in loaded.values()} == {
        x.numpy().tobytes() for x in served.values()
    }


def test_backbone_gets_pretrained_weights(serve_checkpoint) -> None:
    shapes = state_shapes(ResNet(18, deep_stem=True))
    weights = serve_checkpoint("open-mmlab://resnet18_v1c", shapes)
    model = create_model("resnet18_v1c", pretrained=True, features_only=True, out_indices=(3,))
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key]), key


def test_expected_hash_of_pretrained_weights_is_checked(serve_checkpoint) -> None:
    serve_checkpoint("open-mmlab://resnet18_v1c", state_shapes(ResNet(18, deep_stem=True)))
    with pytest.raises(HashMismatchError, match="expected 00000000"):
        create_model("resnet18_v1c", pretrained=True, features_only=True, sha256="0" * 8)


def test_self_supervised_weights_build_the_backbone_from_its_prefix(serve_checkpoint) -> None:
    uri = "mmpretrain://mocov2_resnet50_8xb32-coslr-200e_in1k"
    shapes = {f"backbone.{key}": shape for key, shape in state_shapes(ResNet(50)).items()}
    weights = serve_checkpoint(uri, {**shapes, "neck.mlp.0.weight": [8, 8]})
    model = create_model(uri, pretrained=True, features_only=True)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[f"backbone.{key}"]), key


@pytest.mark.parametrize(
    ("name", "num_classes", "in_channels"),
    [
        ("resnet50_cifar.8xb16_cifar100", 100, 3),
        ("resnet18_8xb16_cifar10", 10, 3),
        ("mmedit/mobilenet_v2", 1000, 4),
    ],
)
def test_default_classes_and_channels_are_those_of_the_weights(
    name: str, num_classes: int, in_channels: int, serve_checkpoint
) -> None:
    entry, tag = find(name)
    weights = next(w for w in entry.weights if w.tag == tag)
    with torch.device("meta"):
        shapes = state_shapes(entry.make(num_classes=num_classes, **weights.arguments))
    serve_checkpoint(
        weights.uri, {"layers.0.conv.weight": [32, 4, 3, 3]} if tag == "mmedit" else shapes
    )
    model = create_model(name, pretrained=True)
    assert model.fc.out_features == num_classes
    assert next(model.parameters()).shape[1] == in_channels


def test_classifier_without_values_is_not_loaded(serve_checkpoint) -> None:
    keys = stored_keys("torchvision-vgg16")
    shapes = {key: shape if "features" in key else [1] for key, shape in keys.items()}
    weights = serve_checkpoint("torchvision://vgg16.imagenet1k_features", shapes)
    model = create_model("vgg16.imagenet1k_features", pretrained=True, num_classes=0)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key]), key


def test_parameters_missing_in_checkpoint_are_initialized(serve_checkpoint) -> None:
    shapes = state_shapes(ResNet(18, deep_stem=True))
    weights = serve_checkpoint("open-mmlab://resnet18_v1c", shapes)
    torch.manual_seed(0)
    model = create_model("resnet18_v1c", pretrained=True, num_classes=7, in_channels=1)
    assert model.fc.weight.shape == (7, 512)
    assert model.fc.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert torch.equal(model.layer1[0].conv1.weight, weights["layer1.0.conv1.weight"])
    # With other image channels the sum of the kernels, and so the scale of the output, is kept.
    stem = weights["stem.0.weight"]
    torch.testing.assert_close(model.stem[0].weight, stem.sum(1, keepdim=True))


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
def test_names_of_torchvision_timm_and_zoo_are_found(name: str, kind: type) -> None:
    assert model_entry(name).build is kind


@pytest.mark.parametrize(
    ("name", "network", "tag"),
    [
        ("resnet50", "resnet50", None),
        ("resnet50.imagenet1k_v2", "resnet50", "imagenet1k_v2"),
        ("resnet50.mmcls", "resnet50", "mmcls"),
        ("mmcls://resnet50", "resnet50", "mmcls"),
        ("torchvision://resnet50", "resnet50", "imagenet1k_v1"),
        ("regnetx_032.imagenet1k_v2", "regnetx_3.2gf", "imagenet1k_v2"),
        ("tf_efficientnet_lite0.in1k", "efficientnet_lite0", "in1k"),
        ("contrib/resnet50_gn", "detectron/resnet50_gn", "contrib"),
        ("res2net50_w14", "res2net50_14w_8s", "mmcls"),
        ("ResNet50_Weights.IMAGENET1K_V2", "resnet50", "imagenet1k_v2"),
        ("mmpretrain://resnet50_8xb32_in1k", "resnet50", "mmcls"),
        ("resnet50.default", "resnet50", "imagenet1k_v2"),
        ("resnet50_caffe_bgr", "detectron2/resnet50_caffe", None),
        ("mmpretrain://hrnet-w30_3rdparty_8xb32_in1k", "hrnet_w30", "3rdparty_8xb32_in1k"),
        ("resnet50_8xb256-rsb-a1-600e_in1k", "resnet50", "8xb256-rsb-a1-600e_in1k"),
        (
            "mmpretrain://mocov2_resnet50_8xb32-coslr-200e_in1k",
            "resnet50",
            "mocov2_8xb32-coslr-200e_in1k",
        ),
        ("resnet50_cifar.8xb16_cifar100", "resnet50_cifar", "8xb16_cifar100"),
        ("mmedit/vgg16", "vgg16", "mmedit"),
        ("open-mmlab://detectron2/resnet50_caffe_bgr", "detectron2/resnet50_caffe", "open-mmlab"),
    ],
)
def test_name_selects_model_and_weights(name: str, network: str, tag: str | None) -> None:
    entry, selected = find(name)
    assert (entry.name, selected) == (network, tag)


@pytest.mark.parametrize("name", ["nowhere://resnet50", "mmpretrain://resnet50"])
def test_uri_of_unknown_source_is_refused_with_the_known_sources(name: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        create_model(name, pretrained=True)
    assert repr(name) in str(caught.value)
    assert "torchvision://resnet50.imagenet1k_v2, mmcls://resnet50" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "library"),
    [
        ("resnet50", "brickwork"),
        ("mmpretrain://resnet50_8xb32_in1k", "brickwork"),
        ("torchvision://resnet50", "brickwork"),
        ("torchvision://vit_b_16.imagenet1k_v1", "torchvision"),
        ("timm://resnet50", "timm"),
        ("mmpretrain://vit-base-p16_32xb128-mae_in1k", None),
        ("nothing", None),
    ],
)
def test_model_library_names_who_builds_the_model(name: str, library: str | None) -> None:
    assert model_library(name) == library


def test_misspelled_name_suggests_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'resnet50'"):
        create_model("resnt50")


def test_list_models_filters_by_pattern_and_weights() -> None:
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
def test_backbone_returns_tuple_of_one_map(name: str) -> None:
    last = -1 if name != "mobilenet_v2" else 6
    with torch.device("meta"):
        model = model_entry(name).make(in_channels=5, out_indices=(last,)).eval()
        maps = model(torch.empty(1, 5, 64, 64))
    assert isinstance(maps, tuple)
    assert len(maps) == 1


def test_model_without_weights_is_initialized() -> None:
    torch.manual_seed(0)
    model = create_model("resnet18", num_classes=3)
    assert model.is_init
    assert model.fc.out_features == 3
    features = create_model("resnet18", features_only=True, out_indices=(1, 3))
    assert features.out_channels == (128, 512)
    assert isinstance(create_model("alexnet", num_classes=0), AlexNet)


def test_further_arguments_override_the_entry() -> None:
    model = create_model("resnet50_gn", norm_cfg={"type": "GN", "num_groups": 8}, num_classes=0)
    assert model.gn1.num_groups == 8
    with pytest.raises(TypeError, match="unexpected argument dept; did you mean 'depth'"):
        create_model("resnet18", dept=50)


def test_tag_from_another_source_than_the_uri_is_refused() -> None:
    with pytest.raises(ModelError, match="but the name selects the source mmcls://"):
        create_model("mmcls://resnet50", pretrained="imagenet1k_v2")


def test_contradictory_arguments_and_missing_weights_are_refused() -> None:
    with pytest.raises(ModelError, match="in_channels must be at least 1, got 0"):
        create_model("resnet18", in_channels=0)
    with pytest.raises(ModelError, match="features_only=True"):
        create_model("resnet18", out_indices=(1,))
    with pytest.raises(NoWeightsError, match="has no pretrained weights"):
        create_model("hrnet_w18_small", pretrained=True)
    with pytest.raises(
        NoWeightsError, match=r"one of imagenet1k_v1, .*, \.\.\. for resnet50, got 'imagenet1k_v3'"
    ):
        create_model("resnet50", pretrained="imagenet1k_v3")


def test_every_regnet_design_has_an_entry() -> None:
    assert {model_entry(arch).arguments["arch"] for arch in DESIGNS} == set(DESIGNS)
