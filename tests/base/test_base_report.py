"""The report of where each value came from, which is known without looking at values."""

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
    """Writes in every way there is, some of them the same values again."""

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


def kind(model: nn.Module, name: str) -> str:
    return init_report(model)[name].source.kind


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_report_names_the_last_writer_of_each_tensor(model: Sequential, device: str) -> None:
    model.to(device)
    model.init_weights()
    assert kind(model, "1.conv.weight") == "code"
    assert kind(model, "1.conv.bias") == "code"
    assert kind(model, "1.bn.weight") == "code"
    assert kind(model, "1.bn.bias") == "code"
    assert kind(model, "1.bn.running_mean") == "code"
    assert kind(model, "1.bn.running_var") == ("default" if device == "cpu" else "uninitialized")
    inner, outer = (init_report(model)[f"{index}.conv.weight"].source for index in (0, 2))
    assert (inner.kind, inner.module) == ("rule", "0")
    assert (outer.kind, outer.module) == ("rule", "")
    assert outer.by == (
        "KaimingInit: a=0, mode=fan_out, nonlinearity=relu, distribution=normal, bias=0, "
        "layer=['Conv2d']"
    )
    assert str(outer) == f"{outer.by} of the model"
    assert str(init_report(model)["1.conv.bias"].source) == "init_weights of Own of 1"


def test_report_of_a_part_names_rules_of_outer_modules(model: Sequential) -> None:
    model.init_weights()
    assert [origin.name for origin in init_report(model[0])][:2] == ["conv.weight", "conv.bias"]
    assert init_report(model[0])["conv.weight"].source.module == ""
    outer = init_report(model[2])["conv.weight"].source
    assert outer.module is None
    assert "an outer module" in str(outer)
    with pytest.raises(KeyError, match="Block has no parameter or buffer 'x'"):
        init_report(model[0])["x"]


def test_code_before_the_rules_is_not_named_if_rules_write_after_it() -> None:
    class Before(Block):
        def init_weights(self) -> None:
            self.conv.weight.data = torch.ones(1, 1, 1, 1)
            self.bn.bias.data = torch.ones(1)
            super().init_weights()

    model = Before(KAIMING)
    model.init_weights()
    assert kind(model, "conv.weight") == "rule"
    assert kind(model, "bn.bias") == "code"


def test_later_load_is_named(model: Sequential) -> None:
    model.init_weights()
    mark_loaded(model, "http://host/file.pth", {"0.conv.weight": "backbone.conv.weight"})
    source = init_report(model)["0.conv.weight"].source
    assert str(source) == "http://host/file.pth [backbone.conv.weight]"


def test_dict_json_and_text_have_the_same_rows(model: Sequential) -> None:
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
    assert text.splitlines()[0].split() == ["name", "shape", "value", "from"]
    assert text.splitlines()[-1] == report.summary
    assert report.summary == "Sequential: 21 tensors, 4 by rules, 5 by user code, 12 as constructed"
    assert repr(report) == f"<InitReport of {report.summary}>"


def test_report_is_a_rich_table_on_a_terminal(
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


def test_plot_writes_a_picture(model: Sequential, tmp_path: Path) -> None:
    model.init_weights()
    path = init_report(model).plot(tmp_path / "weights.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_log_has_one_line_and_one_per_tensor_at_debug_level(
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


def test_writes_after_the_session_are_not_recorded(model: Sequential) -> None:
    model.init_weights()
    model[0].conv.weight.data.fill_(3)
    assert kind(model, "0.conv.weight") == "rule"
