"""The same weights give what torchvision's and timm's networks give; the names are known."""

from __future__ import annotations

import fnmatch
import hashlib
import math
import re
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from brickwork_models import KEY_MAPS, key_map, model_entry
from brickwork_models._keys import rename
from brickwork_models.errors import UnknownNameError
from torch import Tensor, nn

# The families whose checkpoints are to load, and how the libraries call them.
FAMILIES = {
    "torchvision": "alexnet vgg* resnet* resnext* wide_resnet* regnet_* mobilenet_v2",
    "timm": "vgg* resnet* resnext* wide_resnet* res2net* hrnet* regnetx_* regnety_* "
    "mobilenetv2_* tf_efficientnet_lite*",
}


def renamed(keys: dict[str, Any], map_name: str) -> dict[str, Any]:
    """Their keys as ours; nothing is lost on the way."""
    rules = key_map(map_name)
    found = {rename(key, rules): value for key, value in keys.items()}
    assert len(found) == len(keys)
    return found


def shapes(model: nn.Module) -> dict[str, list[int]]:
    return {key: list(value.shape) for key, value in model.state_dict().items()}


def first_scores(case: Any, weights: dict[str, Tensor], image: Tensor) -> Tensor:
    """What our network says with their weights, nothing renamed by hand and nothing left over."""
    entry = model_entry(case.name)
    if case.features:
        weights = {k: value for k, value in weights.items() if k.startswith("features")}
    with torch.device("meta"):
        model = entry.make(num_classes=None if case.features else 1000).eval()
    state = renamed(weights, entry.key_maps[case.library])
    model.load_state_dict(state, strict=True, assign=True)
    with torch.inference_mode():
        out = model(image)
    return (out[-1].mean((2, 3)) if case.features else out)[0, :32]


def close(got: Tensor, expected: Tensor) -> None:
    scale = expected.abs().max().item()
    torch.testing.assert_close(got, expected, rtol=0, atol=1e-5 * max(scale, 1.0))


def test_has_their_keys_and_shapes(case: Any, networks: Callable[[str], dict[str, Any]]) -> None:
    entry = model_entry(case.name)
    with torch.device("meta"):
        model = entry.make(num_classes=1000)
    theirs = renamed(networks(str(case))["keys"], entry.key_maps[case.library])
    for key, shape in theirs.items():
        if key.startswith("classifier.") and len(shape) == 4:
            # timm keeps VGG's head as convolutions of 7x7 and 1x1; loading flattens them.
            theirs[key] = [shape[0], math.prod(shape[1:])]
    assert shapes(model) == theirs


def test_agrees_with_stored_outputs(
    measured: Any, networks: Callable[[str], dict[str, Any]], cases: ModuleType
) -> None:
    stored = networks(str(measured))
    keys = {k: s for k, s in stored["keys"].items() if not measured.features or "features" in k}
    weights = {key: cases.fill(key, tuple(shape)) for key, shape in keys.items()}
    close(first_scores(measured, weights, cases.image()), torch.tensor(stored["out"]))


def test_agrees_live(
    case: Any, networks: Callable[[str], dict[str, Any]], cases: ModuleType
) -> None:
    library = pytest.importorskip(case.library)
    if sum(math.prod(shape) for shape in networks(str(case))["keys"].values()) > 250_000_000:
        pytest.skip("too large for this test; its names and shapes are compared")
    make = library.create_model if case.library == "timm" else library.models.get_model
    theirs = make(case.name).eval()
    with torch.inference_mode():
        whole = theirs.features(cases.image()).mean((2, 3)) if case.features else None
        expected = (theirs(cases.image()) if whole is None else whole)[0, :32]
    close(first_scores(case, theirs.state_dict(), cases.image()), expected)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_network_of_the_families_is_compared(name: str, cases: ModuleType) -> None:
    library = pytest.importorskip(name)
    if name == "timm":
        listing = library.list_models
    else:
        everything = library.models.list_models(module=library.models)
        listing = partial(fnmatch.filter, everything)
    compared = {case.name for case in cases.CASES if case.library == name}
    others = re.compile("|".join(f"({pattern})" for pattern in cases.TIMM_OTHERS.values()))
    for pattern in FAMILIES[name].split():
        missing = set(listing(pattern)) - compared
        assert {one for one in missing if not others.fullmatch(one)} == set(), pattern


def test_openmmlab_networks_have_these_keys_and_shapes(
    checkpoint_uri: str, networks: Callable[[str], dict[str, Any]]
) -> None:
    scheme, _, name = checkpoint_uri.rpartition("://")
    entry = model_entry(checkpoint_uri if scheme else MMCLS_CONFIGS[name])
    with torch.device("meta"):
        model = entry.make(num_classes=None if scheme == "open-mmlab" else 1000)
    rules = entry.key_maps[scheme or "mmcls"]
    assert shapes(model) == renamed(networks(checkpoint_uri)["keys"], rules)


# Configs of mmcls whose checkpoints have no name behind mmcls://.
MMCLS_CONFIGS = {
    "hrnet/hrnet-w18_4xb32_in1k": "hrnet_w18_ssld",
    "regnet/regnetx-400mf_8xb128_in1k": "regnetx_400mf",
    "resnet/resnetv1c50_8xb32_in1k": "resnet50_v1c",
}


def test_openmmlab_networks_start_from_these_weights(
    drawn_uri: str, networks: Callable[[str], dict[str, Any]]
) -> None:
    model = model_entry(drawn_uri).make()
    torch.manual_seed(0)
    model.init_weights()
    total = hashlib.sha256()
    for _, value in sorted(model.state_dict().items()):
        total.update(value.numpy().tobytes())
    assert total.hexdigest() == networks(drawn_uri)["initialised"]


def test_every_map_can_be_had_and_is_a_copy() -> None:
    for name in KEY_MAPS:
        rules = key_map(name)
        assert all(len(rule) == 2 for rule in rules)
        rules.clear()
        assert key_map(name) or name.endswith("/same")


def test_unknown_map_suggests_the_closest() -> None:
    with pytest.raises(UnknownNameError, match="torchvision/regnet"):
        key_map("torchvision/regnets")
