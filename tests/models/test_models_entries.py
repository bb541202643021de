"""Preprocessing, sizes and licenses of the entries; which checkpoints of the zoo they cover."""

from __future__ import annotations

import json
import re

import brickwork_zoo
import pytest
import torch
from brickwork_models import KEY_MAPS, Weights, list_models, model_entry, summarize
from brickwork_models._names import find
from brickwork_models.errors import NoArchitectureError, UnknownNameError

from tests.models.stored import MMPRETRAIN, OPENMMLAB, TORCHVISION_WEIGHTS
from tests.support.repository import ROOT

CATALOG = ROOT / "packages" / "zoo" / "catalog" / "raw"
# Checkpoints of families that are not implemented.
NOT_IMPLEMENTED = {
    "open_mmlab": r"bninception_caffe|kin400/.*|mmedit/res34_.*|contrib/mobilenet_v3_.*|resnest\d+",
    "mmcls": r"se-resnet.*|resnest.*|shufflenet.*|mobilenet_v3.*|repvgg.*|swin.*|t2t.*|tnt.*|vit.*",
    "torchvision": r"(densenet|efficientnet|googlenet|inception|maxvit|mnasnet"
    r"|mobilenet_v3|shufflenet|squeezenet|swin|vit).*",
}
NOT_IMPLEMENTED["torchvision_0.12"] = NOT_IMPLEMENTED["torchvision"]
# Files whose hash nobody has published.
WITHOUT_HASH = {
    "torchvision://vgg16.imagenet1k_features",
    "open-mmlab://mmedit/vgg16",
    "open-mmlab://mmedit/mobilenet_v2",
}
SCHEMES = {"open_mmlab": "open-mmlab", "mmcls": "mmcls", "torchvision": "torchvision"}
NAMES = [
    (source, name)
    for source in NOT_IMPLEMENTED
    for rows in (json.loads((CATALOG / f"{source}.json").read_text(encoding="utf-8")),)
    for name in rows.get("weights", rows)
]


def weights_of(uri: str) -> Weights:
    entry, tag = find(uri)
    return next(weights for weights in entry.weights if weights.tag == tag)


@pytest.mark.parametrize(("source", "name"), NAMES)
def test_zoo_name_has_model_or_is_listed_as_not_implemented(source: str, name: str) -> None:
    if re.fullmatch(NOT_IMPLEMENTED[source], name):
        with pytest.raises(NoArchitectureError if has_file(source, name) else UnknownNameError):
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


def has_file(source: str, name: str) -> bool:
    """Return whether the zoo has a file of this name; two of torchvision's never had one."""
    rows = json.loads((CATALOG / f"{source}.json").read_text(encoding="utf-8"))
    return rows.get("weights", rows)[name] is not None


def test_error_for_missing_model_names_checkpoint_and_load_checkpoint() -> None:
    with pytest.raises(NoArchitectureError) as caught:
        model_entry("contrib/mobilenet_v3_large")
    assert "open-mmlab://contrib/mobilenet_v3_large" in str(caught.value)
    assert "load_checkpoint" in str(caught.value)


def test_every_checkpoint_is_known_to_the_zoo() -> None:
    names = set()
    for name in list_models(pretrained=True):
        entry = model_entry(name)
        assert len({weights.tag for weights in entry.weights}) == len(entry.weights), name
        for weights in entry.weights:
            resource = brickwork_zoo.resolve(weights.uri)
            assert resource.urls, weights.uri
            assert resource.sha256 or weights.uri in WITHOUT_HASH, weights.uri
            assert entry.key_maps[weights.library] in KEY_MAPS
            assert weights.license
            assert weights.uri not in names
            names.add(weights.uri)


@pytest.mark.parametrize("uri", TORCHVISION_WEIGHTS)
def test_parameters_and_flops_match_torchvision(uri: str) -> None:
    published = TORCHVISION_WEIGHTS[uri]
    entry, _ = find(uri)
    assert entry.parameters == published["parameters"]
    side = published["size"]
    summary = entry.summary
    if side != entry.preprocess.size:
        with torch.device("meta"):
            summary = summarize(entry.make(num_classes=1000), (3, side, side))
    assert summary.flops / 1e9 == pytest.approx(published["gflops"], rel=0.02)


@pytest.mark.parametrize("uri", TORCHVISION_WEIGHTS)
def test_preprocessing_matches_torchvision(uri: str) -> None:
    published = TORCHVISION_WEIGHTS[uri]
    preprocess = weights_of(uri).preprocess
    assert preprocess.size == published["size"]
    assert preprocess.crop == pytest.approx(published["size"] / published["resize"])
    assert preprocess.interpolation == published["interpolation"]
    assert preprocess.channel_order == "RGB"
    assert preprocess.mean == pytest.approx([255 * x for x in published["mean"]])
    assert preprocess.std == pytest.approx([255 * x for x in published["std"]])


@pytest.mark.parametrize("uri", TORCHVISION_WEIGHTS)
def test_license_matches_torchvision(uri: str) -> None:
    license_id = weights_of(uri).license
    published = TORCHVISION_WEIGHTS[uri]["license"]
    if published:  # torchvision names only the license of SWAG
        assert "SWAG" in published
        assert license_id == "CC-BY-NC-4.0"
    else:
        assert license_id in ("BSD-3-Clause", "not stated; ask the authors")


@pytest.mark.parametrize(
    "uri", [uri for uri in OPENMMLAB if "://" in uri and OPENMMLAB[uri]["images"]]
)
def test_preprocessing_matches_openmmlab_configs(uri: str) -> None:
    preprocess = weights_of(uri).preprocess
    actual = [list(preprocess.mean), list(preprocess.std), preprocess.channel_order]
    assert actual == OPENMMLAB[uri]["images"]


@pytest.mark.parametrize("uri", MMPRETRAIN)
def test_preprocessing_matches_mmpretrain_configs(uri: str) -> None:
    config, preprocess = MMPRETRAIN[uri], weights_of(uri).preprocess
    statistics = [list(preprocess.mean), list(preprocess.std), preprocess.channel_order]
    assert statistics == [config["mean"], config["std"], config["order"]]
    if config["resize"]:  # configs that only pretrain have no test images
        size = config["crop"] or config["resize"]
        assert preprocess.size == size
        assert preprocess.crop == pytest.approx(size / config["resize"])
        assert preprocess.interpolation == config["interpolation"]
        assert preprocess.square == config["square"]


@pytest.mark.parametrize("prefix", ["detectron/", "detectron2/"])
def test_detectron_weights_have_cc_by_sa_license(prefix: str) -> None:
    # https://github.com/facebookresearch/detectron2/blob/main/MODEL_ZOO.md#license
    names = list_models(f"{prefix}*")
    assert len(names) >= 2
    assert {model_entry(name).weights[0].license for name in names} == {"CC-BY-SA-3.0"}


def test_contributed_weights_have_no_stated_license() -> None:
    assert weights_of("open-mmlab://contrib/resnet50_gn").license.startswith("not stated")
