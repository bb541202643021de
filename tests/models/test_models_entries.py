"""What the entries say of images, sizes and licences; which checkpoints of the zoo they cover."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brickwork_zoo
import pytest
import torch
from brickwork_models import KEY_MAPS, Weights, list_models, model_entry, summarize
from brickwork_models._names import find
from brickwork_models.errors import NoArchitectureError, UnknownNameError

CATALOGUE = Path(__file__).parents[2] / "packages" / "zoo" / "catalog" / "raw"
# Checkpoints of networks that are none of this package's families, or that other code keeps
# under names of its own (mmedit).
LEFT_OUT = {
    "open_mmlab": r"bninception_caffe|kin400/.*|mmedit/.*|contrib/mobilenet_v3_.*|resnest\d+",
    "mmcls": r"se-resnet.*|resnest.*|shufflenet.*|mobilenet_v3.*|repvgg.*|swin.*|t2t.*|tnt.*|vit.*",
    "torchvision": r"(convnext|densenet|efficientnet|googlenet|inception|maxvit|mnasnet"
    r"|mobilenet_v3|shufflenet|squeezenet|swin|vit).*",
}
LEFT_OUT["torchvision_0.12"] = LEFT_OUT["torchvision"]
SCHEMES = {"open_mmlab": "open-mmlab", "mmcls": "mmcls", "torchvision": "torchvision"}
NAMES = [
    (source, name)
    for source in LEFT_OUT
    for rows in (json.loads((CATALOGUE / f"{source}.json").read_text(encoding="utf-8")),)
    for name in rows.get("weights", rows)
]


def weights_of(uri: str) -> Weights:
    entry, tag = find(uri)
    return next(weights for weights in entry.weights if weights.tag == tag)


@pytest.mark.parametrize(("source", "name"), NAMES)
def test_every_name_of_the_zoo_has_a_network_or_a_reason(source: str, name: str) -> None:
    if re.fullmatch(LEFT_OUT[source], name):
        with pytest.raises(NoArchitectureError if known(source, name) else UnknownNameError):
            model_entry(name)
    elif source == "torchvision_0.12":
        # The old names mean the old weights.
        assert model_entry(name).weights[0].tag == "imagenet1k_v1"
        url = brickwork_zoo.resolve(f"torchvision://{name}").urls
        assert brickwork_zoo.resolve(model_entry(name).weights[0].uri).urls == url
    else:
        uri = f"{SCHEMES[source]}://{name}"
        assert weights_of(uri).uri == uri
        assert any(weights.uri == uri for weights in model_entry(name).weights)


def known(source: str, name: str) -> bool:
    """Whether the zoo has a file of this name; of two of torchvision's there never was one."""
    rows = json.loads((CATALOGUE / f"{source}.json").read_text(encoding="utf-8"))
    return rows.get("weights", rows)[name] is not None


def test_an_error_names_the_checkpoint_and_the_way_out() -> None:
    with pytest.raises(NoArchitectureError) as caught:
        model_entry("mmedit/vgg16")
    assert "open-mmlab://mmedit/vgg16" in str(caught.value)
    assert "load_checkpoint" in str(caught.value)


def test_every_checkpoint_is_known_to_the_zoo() -> None:
    names = set()
    for name in list_models(pretrained=True):
        entry = model_entry(name)
        assert len({weights.tag for weights in entry.weights}) == len(entry.weights), name
        for weights in entry.weights:
            resource = brickwork_zoo.resolve(weights.uri)
            assert resource.urls, weights.uri
            assert resource.sha256 or "vgg16_features" in weights.uri, weights.uri
            assert entry.key_maps[weights.library] in KEY_MAPS
            assert weights.licence
            assert weights.uri not in names
            names.add(weights.uri)


def test_parameters_and_flops_are_those_published(
    torchvision_uri: str, published: dict[str, Any]
) -> None:
    entry, _ = find(torchvision_uri)
    assert entry.parameters == published["parameters"]
    side = published["size"]
    summary = entry.summary
    if side != entry.preprocessing.size:
        with torch.device("meta"):
            summary = summarize(entry.make(num_classes=1000), (3, side, side))
    assert summary.flops / 1e9 == pytest.approx(published["gflops"], rel=0.02)


def test_images_are_those_of_torchvision(torchvision_uri: str, published: dict[str, Any]) -> None:
    images = weights_of(torchvision_uri).preprocessing
    assert images.size == published["size"]
    assert images.crop == pytest.approx(published["size"] / published["resize"])
    assert images.interpolation == published["interpolation"]
    assert images.channel_order == "RGB"
    assert images.mean == pytest.approx([255 * x for x in published["mean"]])
    assert images.std == pytest.approx([255 * x for x in published["std"]])


def test_licences_of_torchvision(torchvision_uri: str, published: dict[str, Any]) -> None:
    licence = weights_of(torchvision_uri).licence
    if published["licence"]:  # it names SWAG's alone
        assert "SWAG" in published["licence"]
        assert licence == "CC-BY-NC-4.0"
    else:
        assert licence in ("BSD-3-Clause", "not stated; ask the authors")


def test_images_are_those_of_openmmlabs_configs(
    pictured_uri: str, networks: Callable[[str], dict[str, Any]]
) -> None:
    images = weights_of(pictured_uri).preprocessing
    got = [list(images.mean), list(images.std), images.channel_order]
    assert got == networks(pictured_uri)["images"]


@pytest.mark.parametrize("prefix", ["detectron/", "detectron2/"])
def test_detectrons_weights_have_one_licence(prefix: str) -> None:
    # https://github.com/facebookresearch/detectron2/blob/main/MODEL_ZOO.md#license
    names = list_models(f"{prefix}*")
    assert len(names) >= 2
    assert {model_entry(name).weights[0].licence for name in names} == {"CC-BY-SA-3.0"}


def test_contributed_weights_have_the_licence_of_their_author() -> None:
    assert weights_of("open-mmlab://contrib/resnet50_gn").licence.startswith("not stated")
