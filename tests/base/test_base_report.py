"""Who gave each value, told without looking at values."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path

import pytest
import torch
from brickwork_base import BaseModule, Sequential, init_report
from brickwork_init import mark_loaded
from torch import nn

KAIMING = dict(type="Kaiming", layer="Conv2d")


class Block(BaseModule):
    def __init__(self, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(1, 1, 1)
        self.bn = nn.BatchNorm2d(1)


class Own(Block):
    """Writes in every way there is, values that were there before among them."""

    def init_weights(self) -> None:
        super().init_weights()
        self.conv.weight.data.copy_(self.conv.weight.data.clone())  # the same values
        self.conv.bias.data[0] = 2
        self.bn.weight = nn.Parameter(torch.ones_like(self.bn.weight))
        self.bn.bias.data = torch.zeros_like(self.bn.bias)
        self.bn.running_mean += 0


@pytest.fixture
def model() -> Sequential:
    return Sequential(Block(KAIMING), Own(KAIMING), Block(), init_cfg=KAIMING)


def kinds(model: nn.Module, name: str) -> list[str]:
    return [one.kind for one in init_report(model)[name].history]


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_each_write_in_its_order(model: Sequential, device: str) -> None:
    model.to(device)
    model.init_weights()
    assert kinds(model, "0.conv.weight") == ["default", "rule", "rule"]
    assert kinds(model, "2.conv.weight") == ["default", "rule"]
    assert kinds(model, "1.conv.weight") == ["default", "rule", "rule", "code"]
    assert kinds(model, "1.conv.bias") == ["default", "rule", "rule", "code"]
    assert kinds(model, "1.bn.weight") == ["default", "code"]
    assert kinds(model, "1.bn.bias") == ["default", "code"]
    assert kinds(model, "1.bn.running_mean") == ["default", "code"]
    assert kinds(model, "1.bn.running_var") == ["default" if device == "cpu" else "uninitialized"]
    outer, inner = init_report(model)["0.conv.weight"].history[1:]
    assert (outer.module, inner.module) == ("", "0")
    assert outer.by == (
        "KaimingInit: a=0, mode=fan_out, nonlinearity=relu, distribution=normal, bias=0, "
        "layer=['Conv2d']"
    )
    assert str(init_report(model)["1.conv.bias"].source) == "init_weights of Own of 1"


def test_a_part_has_a_report_of_its_own(model: Sequential) -> None:
    model.init_weights()
    report = init_report(model[0])
    assert [origin.name for origin in report][:2] == ["conv.weight", "conv.bias"]
    outer, inner = report["conv.weight"].history[1:]
    assert (outer.module, inner.module) == (None, "")
    assert "an outer module" in str(outer)
    with pytest.raises(KeyError, match="Block has no parameter or buffer 'x'"):
        report["x"]


def test_a_load_after_it_is_the_last_word(model: Sequential) -> None:
    model.init_weights()
    mark_loaded(model, "http://host/file.pth", {"0.conv.weight": "backbone.conv.weight"})
    source = init_report(model)["0.conv.weight"].source
    assert str(source) == "http://host/file.pth [backbone.conv.weight]"


def test_plain_forms(model: Sequential) -> None:
    model.init_weights()
    report = init_report(model)
    table = report.to_dict()
    assert json.loads(report.to_json(indent=1)) == table
    assert table["0.conv.weight"]["shape"] == [1, 1, 1, 1]
    assert table["0.conv.weight"]["kind"] == "parameter"
    assert table["0.bn.num_batches_tracked"]["kind"] == "buffer"
    assert table["0.bn.num_batches_tracked"]["dtype"] == "torch.int64"
    assert len(report) == len(table) == len(model.state_dict())
    text = str(report)
    assert text.splitlines()[0].split() == ["name", "shape", "value", "from", "over"]
    assert text.splitlines()[-1] == report.summary
    assert report.summary == "Sequential: 21 tensors, 4 by rules, 5 by user code, 12 as constructed"
    assert repr(report) == f"<InitReport of {report.summary}>"


def test_a_table_of_rich_where_there_is_a_terminal(
    model: Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    model.init_weights()
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    text = str(init_report(model))
    assert "┃" in text or "│" in text
    assert "Sequential: 21 tensors" in text


def test_a_picture(model: Sequential, tmp_path: Path) -> None:
    model.init_weights()
    path = init_report(model).plot(tmp_path / "weights.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_log_has_one_line_and_the_rest_at_debug_level(
    model: Sequential, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "brickwork_init"):
        model.init_weights()
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert caplog.messages[0].startswith("initialized Sequential: 21 tensors")
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "brickwork_init"):
        model.init_weights(force=True)
    assert len(caplog.records) == 22


def test_nothing_is_watched_afterwards(model: Sequential) -> None:
    model.init_weights()
    model[0].conv.weight.data.fill_(3)
    assert kinds(model, "0.conv.weight") == ["default", "rule", "rule"]
