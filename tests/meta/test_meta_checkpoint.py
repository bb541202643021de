"""`brickwork.runner.checkpoint`: the checkpoint functions that only mmcv has."""

import brickwork_zoo
import pytest
import torch
from brickwork.runner import checkpoint as mmcv_checkpoint
from torch import nn


@pytest.fixture
def saved(tmp_path):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    path = tmp_path / "net.pth"
    torch.save({"meta": {"epoch": 3}, "state_dict": model.state_dict()}, path)
    return model, str(path)


@pytest.fixture
def own_schemes(monkeypatch):
    """Restore what tests register."""
    from brickwork_zoo._find import _scheme

    loader = mmcv_checkpoint.CheckpointLoader
    monkeypatch.setattr(_scheme, "_RESOLVERS", dict(_scheme._RESOLVERS))
    monkeypatch.setattr(loader, "_schemes", dict(loader._schemes))


@pytest.mark.parametrize(
    "name",
    [
        "load_from_local",
        "load_from_http",
        "load_from_torchvision",
        "load_from_openmmlab",
        "load_from_mmcls",
        "_load_checkpoint",
    ],
)
def test_each_function_reads_a_checkpoint(saved, name):
    assert getattr(mmcv_checkpoint, name)(saved[1], "cpu")["meta"] == {"epoch": 3}


def test_load_checkpoint_with_prefix_returns_the_keys_below_it(saved):
    part = mmcv_checkpoint._load_checkpoint_with_prefix("0", saved[1])
    assert list(part) == ["weight", "bias"]
    with pytest.raises(RuntimeError, match="prefix 'nothing'"):
        mmcv_checkpoint._load_checkpoint_with_prefix("nothing", saved[1])


def test_load_checkpoint_to_model_loads_what_has_been_read(saved):
    model, path = saved
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    checkpoint = mmcv_checkpoint._load_checkpoint(path)
    checkpoint["state_dict"] = {f"module.{k}": v for k, v in checkpoint["state_dict"].items()}
    assert mmcv_checkpoint._load_checkpoint_to_model(other, checkpoint, strict=True) is checkpoint
    assert torch.equal(other[0].weight, model[0].weight)


def test_tables_of_models_map_names_to_urls():
    torchvision = mmcv_checkpoint.get_torchvision_models()
    assert torchvision["resnet50"].endswith("resnet50-0676ba61.pth")
    assert torchvision["resnet50.imagenet1k_v2"].startswith("https://")
    assert mmcv_checkpoint.get_external_models()["vgg16_caffe"].startswith("https://")
    assert "resnet50_caffe" not in mmcv_checkpoint.get_external_models()
    assert mmcv_checkpoint.get_mmcls_models()["vgg11"].startswith("https://")
    deprecated = mmcv_checkpoint.get_deprecated_model_names()
    assert deprecated["resnet50_caffe"] == "detectron/resnet50_caffe"


def test_longest_registered_prefix_reads_the_checkpoint(saved, own_schemes):
    model, _ = saved
    calls = []
    loader = mmcv_checkpoint.CheckpointLoader

    @loader.register_scheme("lab://")
    def short(filename, map_location=None):
        raise AssertionError

    @loader.register_scheme(("lab://big/", "lab2://"))
    def long(filename, map_location=None):
        calls.append((filename, map_location))
        return {"state_dict": model.state_dict()}

    brickwork_zoo.load_checkpoint(model, "lab://big/x", strict=True)
    assert calls == [("lab://big/x", "cpu")]
    assert loader._get_checkpoint_loader("lab://big/x") is long
    with pytest.raises(KeyError, match="force=True"):
        loader.register_scheme("lab://", long)
    loader.register_scheme("lab://", long, force=True)
    brickwork_zoo.load_checkpoint(model, "LAB://x", strict=True)  # schemes ignore case
    assert loader.load_checkpoint("lab2://x")["state_dict"].keys() == model.state_dict().keys()


def test_registered_regular_expression_works_in_pretrained_and_load_model(saved, own_schemes):
    model, _ = saved

    def read(filename, map_location=None):
        return {"state_dict": model.state_dict()}

    mmcv_checkpoint.CheckpointLoader.register_scheme(r"(\S+\:)?petrel://", read)
    for uri in ("petrel://net.pth", "cluster:petrel://net.pth"):
        other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        brickwork_zoo.PretrainedInit(uri, strict=True)(other)
        assert torch.equal(other[0].weight, model[0].weight)
        built = brickwork_zoo.load_model(
            lambda: nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)), uri, strict=True
        )
        assert torch.equal(built[0].weight, model[0].weight)


def test_reader_of_paths_can_be_replaced(own_schemes):
    mmcv_checkpoint.CheckpointLoader.register_scheme("", lambda *_: {"meta": 1}, force=True)
    assert mmcv_checkpoint.CheckpointLoader.load_checkpoint("nowhere.pth") == {"meta": 1}
