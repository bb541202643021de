"""The option `sha256` of every function and command that loads a file."""

from __future__ import annotations

import hashlib
import io

import brickwork_zoo as zoo
import pytest
import torch
from brickwork_init import init_report, initialize
from brickwork_zoo._cli._main import main
from brickwork_zoo.errors import HashMismatchError, InvalidInputError
from torch import nn

WEIGHT = torch.arange(6.0).reshape(2, 3)


def weights_file() -> bytes:
    file = io.BytesIO()
    torch.save({"state_dict": {"weight": WEIGHT}}, file)
    return file.getvalue()


BODY = weights_file()
SHA = hashlib.sha256(BODY).hexdigest()


def build() -> nn.Linear:
    return nn.Linear(3, 2, bias=False)


def by_load_checkpoint(uri, **options):
    model = build()
    zoo.load_checkpoint(model, uri, strict=True, **options)
    return model


def by_load_model(uri, **options):
    return zoo.load_model(build, uri, strict=True, **options)


def by_pretrained(uri, **options):
    model = build()
    initialize(model, dict(type="Pretrained", checkpoint=str(uri), **options))
    return model


def by_read_checkpoint(uri, **options):
    model = build()
    model.load_state_dict(zoo.read_checkpoint(uri, **options)["state_dict"])
    return model


def by_convert(uri, **options):
    model = build()
    zoo.load_checkpoint(model, zoo.convert(uri, "converted.safetensors", **options))
    return model


LOADERS = [by_load_checkpoint, by_load_model, by_pretrained, by_read_checkpoint, by_convert]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("load", LOADERS)
def test_wrong_hash_in_file_name_can_be_overridden(site, load, caplog):
    url = site.url("/net-deadbeef.pth", BODY)
    with pytest.raises(HashMismatchError, match=f"pass sha256='{SHA}'.*sha256=False"):
        load(url)
    assert torch.equal(load(url, sha256=False).weight, WEIGHT)
    assert "is not verified" in caplog.text
    assert torch.equal(load(url, sha256=SHA[:16]).weight, WEIGHT)
    assert torch.equal(load(url).weight, WEIGHT)


@pytest.mark.parametrize("load", LOADERS)
def test_local_file_is_checked_only_on_request(tmp_path, load):
    path = tmp_path / "net-deadbeef.pth"
    path.write_bytes(BODY)
    assert torch.equal(load(path).weight, WEIGHT)
    assert torch.equal(load(path, sha256=SHA).weight, WEIGHT)
    with pytest.raises(HashMismatchError, match="expected 0000000000"):
        load(path, sha256="0" * 64)


def test_hash_of_a_folder_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="sha256 needs a file"):
        by_load_checkpoint(tmp_path, sha256=SHA)


@pytest.mark.parametrize("command", ["download", "inspect", "convert"])
def test_wrong_hash_in_file_name_can_be_overridden_on_the_command_line(site, command, capsys):
    url = site.url("/net-deadbeef.pth", BODY)
    assert main([command, url]) == 1
    assert f"--sha256 {SHA}" in capsys.readouterr().err
    assert main([command, url, "--no-verify"]) == 0
    assert main([command, url, "--sha256", SHA]) == 0
    assert main([command, url]) == 0


def test_credentials_are_in_no_log_report_or_error(site, caplog):
    caplog.set_level("INFO", "brickwork_zoo")
    url = site.url("/net.pth?token=secret", BODY).replace("://", "://me:secret@")
    model = nn.Linear(3, 2)
    zoo.load_checkpoint(model, url)
    with pytest.raises(zoo.ZooError) as caught:
        by_load_checkpoint(url, prefix="none.")
    texts = [caplog.text, str(init_report(model)), str(caught.value), str(caught.value.uri)]
    texts.append(repr(zoo.PretrainedInit(url)))
    assert not any("secret" in text for text in texts)
    assert any("me:***@127" in text for text in texts)
