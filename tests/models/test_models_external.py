"""Models that torchvision or timm builds and the zoo loads."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from brickwork_models import create_model
from brickwork_models.errors import (
    MissingLibraryError,
    ModelError,
    NoWeightsError,
    UnknownNameError,
)
from brickwork_zoo._find import _scheme
from torch import nn

from tests.support.tensors import states_equal


class Classifier(nn.Module):
    """Model of a stand-in library."""

    def __init__(self, num_classes: int, **arguments: Any) -> None:
        super().__init__()
        self.arguments = arguments
        self.stem = nn.Linear(4, 8)
        self.head = nn.Linear(8, num_classes)


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that lets a URI resolve to a file with a state dict."""

    def serve_state(uri: str, state: dict[str, Any]) -> None:
        path = tmp_path / "weights.pth"
        torch.save(state, path)
        for spelling in (uri, f"{uri}.default"):
            monkeypatch.setitem(_scheme._RESOLVERS, spelling, lambda _: str(path))

    return serve_state


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a stand-in for torchvision."""
    models = ModuleType("torchvision.models")
    models.list_models = lambda: ["swin_t", "vit_b_16", "googlenet", "own"]
    models.get_model_builder = lambda name: Classifier
    weights = SimpleNamespace(meta={"min_size": (384, 384)})
    models.get_model_weights = lambda name: {"IMAGENET1K_SWAG_E2E_V1": weights}
    monkeypatch.setitem(sys.modules, "torchvision", ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a stand-in for timm."""
    models = ModuleType("timm.models")
    models.list_models = lambda: ["resnet50", "without_weights"]
    models.is_model = lambda name: name.partition(".")[0] in models.list_models()
    models.get_pretrained_cfg = lambda name: SimpleNamespace(
        hf_hub_id=None if name == "without_weights" else f"timm/{name}"
    )
    models.create_model = lambda name, **options: Classifier(**options)
    monkeypatch.setitem(sys.modules, "timm", ModuleType("timm"))
    monkeypatch.setitem(sys.modules, "timm.models", models)


@pytest.mark.parametrize("uri", ["torchvision://vit_b_16", "timm://resnet50"])
def test_missing_library_is_named_with_the_alternatives(
    uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = uri.partition(":")[0]
    monkeypatch.setitem(sys.modules, f"{library}.models", None)
    with pytest.raises(MissingLibraryError, match=f"pip install {library}") as caught:
        create_model(uri, pretrained=True)
    alternatives = "torchvision://resnet50.imagenet1k_v1, torchvision://resnet50.imagenet1k_v2"
    assert (alternatives in str(caught.value)) is (uri == "timm://resnet50")


@pytest.mark.usefixtures("torchvision")
def test_torchvision_model_gets_the_weights_of_its_uri(serve) -> None:
    source = Classifier(1000)
    serve("torchvision://swin_t", source.state_dict())
    model = create_model("torchvision://swin_t", pretrained=True)
    assert isinstance(model, Classifier)
    assert model.training
    assert states_equal(model.state_dict(), source.state_dict())


@pytest.mark.usefixtures("torchvision")
def test_classifier_for_other_classes_is_initialized(serve) -> None:
    source = Classifier(1000)
    serve("torchvision://swin_t", source.state_dict())
    model = create_model("torchvision://swin_t", pretrained=True, num_classes=3)
    assert model.head.weight.shape == (3, 8)
    assert torch.equal(model.stem.weight, source.stem.weight)
    assert create_model("torchvision://swin_t", num_classes=5).head.out_features == 5


@pytest.mark.usefixtures("torchvision")
@pytest.mark.parametrize(
    ("uri", "arguments"),
    [
        ("torchvision://vit_b_16.imagenet1k_swag_e2e_v1", {"image_size": 384}),
        (
            "torchvision://googlenet.imagenet1k_v1",
            {"transform_input": True, "aux_logits": False, "init_weights": False},
        ),
    ],
)
def test_torchvision_model_gets_the_arguments_of_its_weights(
    uri: str, arguments: dict[str, Any], serve
) -> None:
    serve(uri, Classifier(1000).state_dict())
    assert create_model(uri, pretrained=True).arguments == arguments


@pytest.mark.usefixtures("timm")
def test_timm_model_gets_the_weights_of_its_repository(serve) -> None:
    source = Classifier(1000)
    serve("hf://timm/resnet50.a1_in1k/model.safetensors", source.state_dict())
    model = create_model("timm://resnet50.a1_in1k", pretrained=True)
    assert states_equal(model.state_dict(), source.state_dict())


@pytest.mark.usefixtures("timm", "torchvision")
@pytest.mark.parametrize(
    ("uri", "options", "error", "message"),
    [
        ("timm://resnt50", {}, UnknownNameError, "did you mean 'timm://resnet50'"),
        ("torchvision://swin_x", {}, UnknownNameError, "did you mean 'torchvision://swin_t'"),
        ("torchvision://own", {"pretrained": True}, NoWeightsError, "no pretrained weights"),
        ("timm://without_weights", {"pretrained": True}, NoWeightsError, "no pretrained weights"),
        ("timm://resnet50", {"features_only": True}, ModelError, "features_only"),
        ("timm://resnet50", {"num_classes": None}, ModelError, "num_classes at least 1, got"),
        ("timm://resnet50", {"pretrained": "a1_in1k"}, ModelError, "pretrained must be True or"),
    ],
)
def test_unsupported_request_is_refused(
    uri: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        create_model(uri, **options)


@pytest.mark.parametrize(
    "uri",
    [
        "torchvision://efficientnet_b0",
        "torchvision://googlenet",
        "torchvision://inception_v3",
        "torchvision://shufflenet_v2_x0_5",
        "torchvision://swin_t",
        "torchvision://vit_b_32",
        "timm://resnet18.a1_in1k",
        "timm://vit_tiny_patch16_224",
    ],
)
def test_installed_library_gives_same_outputs(uri: str, serve) -> None:
    library_name, _, name = uri.partition("://")
    models = pytest.importorskip(f"{library_name}.models")
    torch.manual_seed(0)
    if library_name == "timm":
        source = models.create_model(name)
        resolved = f"hf://{models.get_pretrained_cfg(name).hf_hub_id}/model.safetensors"
    else:
        extra = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        transform = {"transform_input": True} if extra else {}
        source = models.get_model(name, **extra, **transform)
        resolved = uri
    serve(resolved, source.state_dict())
    model = create_model(uri, pretrained=True).eval()
    image = torch.randn(1, 3, 299 if name == "inception_v3" else 224, 224)
    with torch.inference_mode():
        torch.testing.assert_close(model(image), source.eval()(image))
