"""`brickwork.utils.config.ConfigDict`: dicts with attribute access."""

import copy
import pickle

import pytest
from brickwork.utils import ConfigDict

CONFIG = {"model": {"type": "ResNet", "stages": [{"depth": 18}, 3]}, "lr": 0.1}


def test_items_are_attributes_at_every_depth():
    cfg = ConfigDict(CONFIG, seed=1)
    assert (cfg.model.type, cfg.model.stages[0].depth, cfg.lr, cfg.seed) == ("ResNet", 18, 0.1, 1)
    assert cfg == {**CONFIG, "seed": 1}
    cfg.model.type = "VGG"
    cfg.new = 2
    assert (cfg["model"]["type"], cfg["new"]) == ("VGG", 2)
    assert CONFIG["model"]["type"] == "ResNet"
    del cfg.new
    assert "new" not in cfg


def test_missing_items_raise_attribute_or_key_errors():
    cfg = ConfigDict(CONFIG)
    assert not hasattr(cfg, "nothing")
    assert getattr(cfg.model, "nothing", 7) == 7
    with pytest.raises(AttributeError, match="'ConfigDict' object has no attribute 'nothing'"):
        _ = cfg.nothing
    with pytest.raises(KeyError, match="nothing"):
        _ = cfg["nothing"]


def test_methods_of_dict_cannot_be_overwritten_by_attributes():
    cfg = ConfigDict()
    with pytest.raises(AttributeError, match=r"set it as an item: cfg\['items'\]"):
        cfg.items = 3
    cfg["items"] = 3
    assert list(cfg.items()) == [("items", 3)]


def test_update_merges_nested_dicts():
    cfg = ConfigDict(CONFIG)
    cfg.update({"model": {"depth": 50}}, lr=1)
    assert cfg.to_dict() == {
        "model": {"type": "ResNet", "stages": [{"depth": 18}, 3], "depth": 50},
        "lr": 1,
    }


@pytest.mark.parametrize(
    "duplicate",
    [
        copy.copy,
        copy.deepcopy,
        ConfigDict.copy,
        ConfigDict.deepcopy,
        lambda cfg: pickle.loads(pickle.dumps(cfg)),
    ],
    ids=["copy", "deepcopy", "method", "deep method", "pickle"],
)
def test_copies_are_config_dicts(duplicate):
    cfg = ConfigDict(CONFIG)
    twin = duplicate(cfg)
    twin.lr = 3
    assert (type(twin), twin.model, cfg.lr) == (ConfigDict, cfg.model, 0.1)
    assert type(twin.model) is ConfigDict
    plain = twin.to_dict()
    assert {type(plain), type(plain["model"]), type(plain["model"]["stages"][0])} == {dict}
