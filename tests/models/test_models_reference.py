"""Models with the weights of torchvision, timm and OpenMMLab: outputs, keys, initial weights."""

from __future__ import annotations

import fnmatch
import math
import re
from functools import partial
from typing import Any

import pytest
import torch
from brickwork_models import KEY_MAPS, key_map, model_entry
from brickwork_models._entries._key_map import rename
from brickwork_models._names import find
from brickwork_models.errors import UnknownNameError
from torch import Tensor

from tests.models.reference.cases import CASES, TIMM_OTHERS, Case, fill, image
from tests.models.stored import (
    LIBRARIES,
    MMEDIT,
    MMPRETRAIN,
    OPENMMLAB,
    assert_matches_samples,
    stored_keys,
)
from tests.support.tensors import state_shapes

# The families whose checkpoints must load, as the libraries name them.
FAMILIES = {
    "torchvision": "alexnet vgg* resnet* resnext* wide_resnet* regnet_* mobilenet_v2 convnext_*",
    "timm": "vgg* resnet* resnext* wide_resnet* res2net* hrnet* regnetx_* regnety_* "
    "mobilenetv2_* tf_efficientnet_lite* convnext_tiny convnext_small convnext_base "
    "convnext_large convnext_xlarge",
}
# Configs of mmcls whose checkpoints have no name behind mmcls://.
MMCLS_CONFIGS = {
    "hrnet/hrnet-w18_4xb32_in1k": "hrnet_w18_ssld",
    "regnet/regnetx-400mf_8xb128_in1k": "regnetx_400mf",
    "resnet/resnetv1c50_8xb32_in1k": "resnet50_v1c",
}


# Configs of mmpretrain that build the base model by mistake.
MMPRETRAIN_BASE_CONFIGS = ("convnext-large_3rdparty_in21k", "convnext-xlarge_3rdparty_in21k")


def renamed(values: dict[str, Any], map_name: str) -> dict[str, Any]:
    """Apply a key map, which must not merge keys."""
    rules = key_map(map_name)
    result = {rename(key, rules): value for key, value in values.items()}
    assert len(result) == len(values)
    return result


def first_logits(case: Case, weights: dict[str, Tensor]) -> Tensor:
    """Return the output of our model with the library's weights, all of which must be used."""
    entry = model_entry(case.name)
    if case.features:
        weights = {k: value for k, value in weights.items() if k.startswith("features")}
    with torch.device("meta"):
        model = entry.make(num_classes=None if case.features else 1000).eval()
    state = renamed(weights, entry.key_maps[case.library])
    model.load_state_dict(state, strict=True, assign=True)
    with torch.inference_mode():
        out = model(image())
    return (out[-1].mean((2, 3)) if case.features else out)[0, :32]


def assert_close(actual: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max().item()
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-5 * max(scale, 1.0))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_keys_and_shapes_match_library(case: Case) -> None:
    entry = model_entry(case.name)
    with torch.device("meta"):
        model = entry.make(num_classes=1000)
    expected = renamed(stored_keys(str(case)), entry.key_maps[case.library])
    for key, shape in expected.items():
        if key.startswith("classifier.") and len(shape) == 4:
            # timm's VGG has 7x7 and 1x1 convolutions as its head; loading flattens them.
            expected[key] = [shape[0], math.prod(shape[1:])]
        elif key.endswith(".gamma"):
            # torchvision's layer scale has the shape (C, 1, 1); loading flattens it.
            expected[key] = shape[:1]
    assert state_shapes(model) == expected


@pytest.mark.parametrize("case", [c for c in CASES if LIBRARIES[str(c)]["out"]], ids=str)
def test_outputs_match_stored_outputs(case: Case) -> None:
    keys = stored_keys(str(case)).items()
    weights = {
        key: fill(key, tuple(shape))
        for key, shape in keys
        if not case.features or "features" in key
    }
    assert_close(first_logits(case, weights), torch.tensor(LIBRARIES[str(case)]["out"]))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_outputs_match_installed_library(case: Case) -> None:
    library = pytest.importorskip(case.library)
    if sum(math.prod(shape) for shape in stored_keys(str(case)).values()) > 250_000_000:
        pytest.skip("too large for this test; its names and shapes are compared")
    make = library.create_model if case.library == "timm" else library.models.get_model
    model = make(case.name).eval()
    with torch.inference_mode():
        if case.features:
            expected = model.features(image()).mean((2, 3))[0, :32]
        else:
            expected = model(image())[0, :32]
    assert_close(first_logits(case, model.state_dict()), expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_library_model_of_the_families_is_compared(name: str) -> None:
    library = pytest.importorskip(name)
    if name == "timm":
        list_names = library.list_models
    else:
        list_names = partial(fnmatch.filter, library.models.list_models(module=library.models))
    compared = {case.name for case in CASES if case.library == name}
    others = re.compile("|".join(f"({pattern})" for pattern in TIMM_OTHERS.values()))
    for pattern in FAMILIES[name].split():
        missing = set(list_names(pattern)) - compared
        assert {model for model in missing if not others.fullmatch(model)} == set(), pattern


@pytest.mark.parametrize("uri", OPENMMLAB)
def test_keys_and_shapes_match_openmmlab(uri: str) -> None:
    scheme, _, name = uri.rpartition("://")
    entry = model_entry(uri if scheme else MMCLS_CONFIGS[name])
    with torch.device("meta"):
        model = entry.make(num_classes=None if scheme == "open-mmlab" else 1000)
    rules = entry.key_maps[scheme or "mmcls"]
    assert state_shapes(model) == renamed(stored_keys(uri), rules)


@pytest.mark.parametrize("uri", MMPRETRAIN)
def test_keys_and_shapes_match_mmpretrain(uri: str) -> None:
    entry, tag = find(uri)
    weights = next(w for w in entry.weights if w.tag == tag)
    with torch.device("meta"):
        classes = weights.num_classes if weights.classifier else None
        model = entry.make(num_classes=classes, **weights.arguments)
    prefix = f"{weights.prefix}." if weights.prefix else ""
    keys = {key.removeprefix(prefix): shape for key, shape in MMPRETRAIN[uri]["keys"].items()}
    expected = renamed(keys, entry.key_maps[weights.library])
    if uri.endswith(MMPRETRAIN_BASE_CONFIGS):
        assert state_shapes(model).keys() == expected.keys()
    else:
        assert state_shapes(model) == expected


@pytest.mark.parametrize(
    ("uri", "own_layers", "missing"),
    [
        ("open-mmlab://mmedit/vgg16", "layer", "nothing"),
        ("open-mmlab://mmedit/mobilenet_v2", "layers.", "conv2."),
    ],
)
def test_keys_and_shapes_match_mmedit(uri: str, own_layers: str, missing: str) -> None:
    entry, tag = find(uri)
    weights = next(w for w in entry.weights if w.tag == tag)
    with torch.device("meta"):
        model = entry.make(**weights.arguments)
    keys = {key: shape for key, shape in MMEDIT[uri].items() if key.startswith(own_layers)}
    expected = renamed(keys, entry.key_maps[weights.library])
    shapes = {k: v for k, v in state_shapes(model).items() if not k.startswith(missing)}
    assert shapes == expected


@pytest.mark.parametrize("uri", [uri for uri in OPENMMLAB if "initialized" in OPENMMLAB[uri]])
def test_initial_weights_match_openmmlab_under_seed(uri: str) -> None:
    model = model_entry(uri).make()
    torch.manual_seed(0)
    model.init_weights()
    assert_matches_samples(model, OPENMMLAB[uri]["initialized"])


@pytest.mark.parametrize("name", KEY_MAPS)
def test_key_map_is_a_new_list_of_pairs(name: str) -> None:
    rules = key_map(name)
    assert all(len(rule) == 2 for rule in rules)
    rules.clear()
    assert key_map(name) or name.endswith("/same")


def test_unknown_key_map_suggests_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="torchvision/regnet"):
        key_map("torchvision/regnets")
