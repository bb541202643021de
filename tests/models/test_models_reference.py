"""The same weights give what torchvision's and timm's networks give; the names are known."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
import torch
from brickwork_models import KEY_MAPS, key_map, model_entry
from brickwork_models._keys import rename
from brickwork_models.errors import UnknownNameError
from torch import Tensor, nn


def ours(case: Any, weights: dict[str, Tensor]) -> nn.Module:
    """Our network with their weights, nothing renamed by hand and nothing left over."""
    with torch.device("meta"):
        model = model_entry(case.ours).make(num_classes=None if case.features else 1000)
    rules = key_map(case.key_map)
    state = {rename(key, rules): value for key, value in weights.items()}
    assert len(state) == len(weights)
    model.load_state_dict(state, strict=True, assign=True)
    return model.eval()


@torch.inference_mode()
def first_scores(case: Any, model: nn.Module, image: Tensor) -> Tensor:
    out = model(image)
    return (out[-1].mean((2, 3)) if case.features else out)[0, :32]


def close(got: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max().item()
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5 * max(scale, 1.0))


def test_agrees_with_stored_outputs(case: Any, networks: dict[str, Any], cases: ModuleType) -> None:
    stored = networks[f"{case.library}/{case.theirs}"]
    weights = {key: cases.fill(key, tuple(shape)) for key, shape in stored["keys"].items()}
    got = first_scores(case, ours(case, weights), cases.image())
    close(got, torch.tensor(stored["out"]))


def test_agrees_live(case: Any, cases: ModuleType) -> None:
    library = pytest.importorskip(case.library)
    if case.features:
        pytest.skip("whole networks only")
    make = library.create_model if case.library == "timm" else library.models.get_model
    theirs = make(case.theirs).eval()
    with torch.inference_mode():
        expected = theirs(cases.image())[0, :32]
    close(first_scores(case, ours(case, theirs.state_dict()), cases.image()), expected)


def test_openmmlab_backbones_have_these_keys_and_shapes(
    checkpoint_name: str, openmmlab_keys: dict[str, dict[str, list[int]]]
) -> None:
    with torch.device("meta"):
        entry = model_entry(checkpoint_name.replace("contrib/", "detectron/"))
        state = entry.make().state_dict()
    assert {key: list(value.shape) for key, value in state.items()} == openmmlab_keys[
        checkpoint_name
    ]


def test_every_map_can_be_had_and_is_a_copy() -> None:
    for name in KEY_MAPS:
        rules = key_map(name)
        assert all(len(rule) == 2 for rule in rules)
        rules.clear()
        assert key_map(name) or name.endswith("/same")


def test_mmcls_names() -> None:
    cases = {
        "mmcls/same": {"backbone.layer1.0.conv1.weight": "layer1.0.conv1.weight"},
        "mmcls/vgg11": {
            "backbone.features.0.conv.weight": "features.0.weight",
            "backbone.features.2.conv.bias": "features.3.bias",
            "backbone.features.4.conv.weight": "features.6.weight",
            "backbone.features.10.conv.weight": "features.16.weight",
            "backbone.features.11.conv.weight": "features.18.weight",
            "backbone.classifier.6.bias": "classifier.6.bias",
        },
        "mmcls/vgg11_bn": {
            "backbone.features.0.bn.weight": "features.1.weight",
            "backbone.features.2.bn.running_mean": "features.5.running_mean",
        },
        "mmcls/mobilenet_v2": {
            "backbone.conv1.conv.weight": "conv1.conv.weight",
            "backbone.layer1.0.conv.0.bn.bias": "layer1.0.depthwise_conv.bn.bias",
            "backbone.layer1.0.conv.1.conv.weight": "layer1.0.linear_conv.conv.weight",
            "backbone.layer7.0.conv.2.bn.bias": "layer7.0.linear_conv.bn.bias",
            "head.fc.weight": "fc.weight",
        },
        "mmcls/hrnet": {
            "backbone.stage2.0.branches.0.0.conv1.weight": "stage2.0.branches.0.0.conv1.weight",
            "neck.increase_layers.0.0.conv1.weight": "incre_modules.0.0.conv1.weight",
            "neck.downsample_layers.1.bn.bias": "downsamp_modules.1.1.bias",
            "neck.final_layer.conv.weight": "final_layer.0.weight",
            "head.fc.bias": "classifier.bias",
        },
    }
    for name, keys in cases.items():
        for theirs, expected in keys.items():
            assert rename(theirs, key_map(name)) == expected, (name, theirs)


def test_unknown_map_suggests_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="torchvision/regnet"):
        key_map("torchvision/regnets")
