"""Modules with custom saving and loading, devices, and suggestions in errors."""

from __future__ import annotations

import warnings

import brickwork_zoo as zoo
import pytest
import torch
from brickwork_zoo.errors import CheckpointError, InvalidInputError, MismatchError
from torch import nn


class WithScratch(nn.Module):
    """Module with non-persistent buffers."""

    def __init__(self, size: int = 3) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.register_buffer("grid", torch.arange(float(size)), persistent=False)
        self.register_buffer("count", torch.tensor(7))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_buffers_that_are_not_persistent_are_saved_and_accepted(tmp_path, suffix):
    model = nn.Sequential(WithScratch())
    zoo.save_checkpoint(model, tmp_path / f"x{suffix}")
    state_dict = zoo.select_state_dict(zoo.read_checkpoint(tmp_path / f"x{suffix}"))
    assert torch.equal(state_dict["0.grid"], torch.arange(3.0))  # as mmcv does
    again = nn.Sequential(WithScratch(4))
    zoo.load_checkpoint(again, tmp_path / f"x{suffix}", strict=True)
    assert torch.equal(again[0].grid, torch.arange(4.0))
    assert torch.equal(again[0].linear.weight, model[0].linear.weight)
    report = zoo.load_state_dict(again, state_dict, strict=True)
    assert report.ignored == ("0.grid",)
    assert report.complete
    loaded = zoo.load_model(
        lambda: nn.Sequential(WithScratch(4)), tmp_path / f"x{suffix}", strict=True
    )
    assert torch.equal(loaded[0].grid, torch.arange(4.0))


def quantized(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates it; its users still have such models
        return torch.ao.quantization.quantize_dynamic(
            nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), {nn.Linear}
        )


@pytest.mark.filterwarnings("ignore")  # torch warns about quantization and typed storages
def test_dynamically_quantized_model_is_saved_and_loaded(tmp_path):
    model, other = quantized(0), quantized(1)
    images = torch.randn(5, 4)
    assert not torch.equal(model(images), other(images))
    zoo.save_checkpoint(model, tmp_path / "x.pth")
    zoo.load_checkpoint(other, tmp_path / "x.pth", strict=True)
    assert torch.equal(model(images), other(images))
    third = quantized(2)
    report = zoo.load_state_dict(third, model.state_dict(), strict=True)
    assert torch.equal(model(images), third(images))
    assert "0._packed_params._packed_params" in report.loaded
    with pytest.raises(InvalidInputError, match=r"0\._packed_params.*use \.pth"):
        zoo.save_checkpoint(model, tmp_path / "x.safetensors")


@pytest.mark.filterwarnings("ignore")  # torch warns about quantization and typed storages
def test_quantized_model_is_not_changed_if_another_tensor_does_not_fit():
    model, other = quantized(0), quantized(1)
    images = torch.randn(5, 4)
    before = other(images)
    state = {**model.state_dict(), "more": torch.ones(1)}
    state = zoo.select_state_dict(state)
    state._metadata = model.state_dict()._metadata
    with pytest.raises(MismatchError, match="more"):
        zoo.load_state_dict(other, state, strict=True)
    assert torch.equal(other(images), before)
    state["extra"] = 3
    with pytest.raises(CheckpointError, match=r"not tensors: extra \(int\)"):
        zoo.load_state_dict(other, state)
    assert torch.equal(other(images), before)


class Packed(nn.Module):
    """Module that saves its two tensors as one, and its settings beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
        self.settings = {"mode": "new"}

    def _save_to_state_dict(self, destination, prefix, keep_vars):
        destination[prefix + "ab"] = torch.stack([self.a, self.b]).detach()
        destination[prefix + "settings"] = dict(self.settings)

    def _load_from_state_dict(self, state_dict, prefix, *args):
        if prefix + "ab" in state_dict:
            both = state_dict.pop(prefix + "ab")
            state_dict[prefix + "a"], state_dict[prefix + "b"] = both[0], both[1]
        self.settings = state_dict.pop(prefix + "settings", self.settings)
        super()._load_from_state_dict(state_dict, prefix, *args)


def test_custom_save_and_load_methods_of_modules_are_used(tmp_path):
    model = nn.Sequential(Packed())
    nn.init.ones_(model[0].a)
    model[0].settings = {"mode": "old", "size": 3}
    zoo.save_checkpoint(model, tmp_path / "x.pth")
    saved = torch.load(tmp_path / "x.pth", weights_only=True)["state_dict"]
    assert list(saved) == ["0.ab", "0.settings"]
    for load in (
        lambda: zoo.load_model(lambda: nn.Sequential(Packed()), tmp_path / "x.pth", strict=True),
        lambda: _loaded(nn.Sequential(Packed()), tmp_path / "x.pth"),
    ):
        again = load()
        assert torch.equal(again[0].a, torch.ones(2))
        assert torch.equal(again[0].b, torch.zeros(2))
        assert again[0].settings == {"mode": "old", "size": 3}


def _loaded(model, path):
    zoo.load_checkpoint(model, path, strict=True, return_weights=False)
    return model


def test_failed_load_sets_no_attributes_of_modules():
    model = nn.Sequential(Packed())
    state = {**nn.Sequential(Packed()).state_dict(), "more": torch.ones(1)}
    state["0.settings"] = {"mode": "other"}
    with pytest.raises(MismatchError, match="more"):
        zoo.load_state_dict(model, state, strict=True)
    assert model[0].settings == {"mode": "new"}


# -- adapters --------------------------------------------------------------------------------------


class Grouped(nn.Module):
    """Model with a stem and a grouped convolution, as in ResNeXt."""

    def __init__(self, channels: int = 3, groups: int = 1) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, 8, 3)
        self.conv = nn.Conv2d(8, 8, 3, groups=groups)


def test_input_channels_are_adapted_only_in_the_first_convolution():
    state = Grouped(3, groups=2).state_dict()
    with pytest.raises(MismatchError, match=r"conv\.weight: \[8, 4, 3, 3\]"):
        zoo.load_state_dict(
            Grouped(1, groups=4),
            state,
            adapters=[zoo.adapt_input_channels],
            on_mismatch="error",
        )
    model = Grouped(1, groups=2)
    report = zoo.load_state_dict(model, state, adapters=[zoo.adapt_input_channels], strict=True)
    assert list(report.adapted) == ["stem.weight"]
    assert torch.equal(model.stem.weight, state["stem.weight"].sum(1, keepdim=True))
    assert torch.equal(model.conv.weight, state["conv.weight"])


def test_input_channels_of_a_first_convolution_with_groups_are_not_adapted():
    model = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4, bias=False))
    state = nn.Sequential(nn.Conv2d(4, 4, 3, groups=2, bias=False)).state_dict()
    with pytest.raises(MismatchError, match="size mismatch"):
        zoo.load_state_dict(model, state, adapters=[zoo.adapt_input_channels], strict=True)


def test_position_embedding_is_recognized_by_its_own_name():
    source, target = torch.zeros(1, 16, 4), torch.zeros(1, 4, 4)
    assert zoo.adapt_position_embedding("net.pos_embed", source, target) is not None
    assert zoo.adapt_position_embedding("pos_embed_block.table", source, target) is None


# -- errors that name the cause --------------------------------------------------------------------


@pytest.fixture
def saved(tmp_path):
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "x.pth")
    return tmp_path / "x.pth"


@pytest.mark.parametrize("where", ["cuda", "cuad", "cuda:99", torch.device("cuda")])
@pytest.mark.parametrize("options", [{}, {"mmap": True}, {"return_weights": False}])
def test_error_names_unavailable_device_of_map_location(saved, where, options):
    if torch.cuda.is_available() and where not in ("cuad", "cuda:99"):
        pytest.skip("it is there")
    with pytest.raises(InvalidInputError, match=r"map_location=.*cu.*map_location='cpu'"):
        zoo.load_checkpoint(nn.Linear(2, 2), saved, where, **options)


def test_error_names_unavailable_device_of_the_file(tmp_path):
    if torch.cuda.is_available():
        pytest.skip("it is there")
    data = zoo_file_from_gpu(tmp_path / "gpu.pth")
    with pytest.raises(InvalidInputError, match=r"saved on 'cuda:0'.*map_location='cpu'"):
        zoo.load_checkpoint(nn.Linear(2, 2), data, None)
    zoo.load_checkpoint(nn.Linear(2, 2), data, "cpu", strict=True)
    zoo.load_checkpoint(nn.Linear(2, 2), data, {"cuda:0": "cpu"}, strict=True)


def zoo_file_from_gpu(path):
    """Write a legacy file whose storages say that they were on a GPU."""
    torch.save(nn.Linear(2, 2).state_dict(), path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    # A string of three characters becomes one of six: length, characters.
    path.write_bytes(data.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"))
    return path


@pytest.mark.parametrize("legacy", [False, True])
def test_map_location_accepts_meta_and_callables(tmp_path, legacy):
    torch.save(
        nn.Linear(2, 2).state_dict(), tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy
    )
    assert zoo.read_checkpoint(tmp_path / "x.pth", "meta")["weight"].is_meta
    calls = []

    def place(storage, tag):
        calls.append(tag)

    loaded = zoo.read_checkpoint(tmp_path / "x.pth", place)
    assert calls == ["cpu", "cpu"]
    assert loaded["weight"].device.type == "cpu"
    with pytest.raises(InvalidInputError, match="map_location must be"):
        zoo.read_checkpoint(tmp_path / "x.pth", 3)


def test_error_suggests_entry_for_a_state_dict_beside_tensors(tmp_path):
    state = nn.Linear(2, 2).state_dict()
    torch.save({"loss": torch.tensor(0.5), "model": state}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="entry='model'"):
        zoo.load_checkpoint(nn.Linear(2, 2), tmp_path / "x.pth")
    zoo.load_checkpoint(nn.Linear(2, 2), tmp_path / "x.pth", entry="model", strict=True)


def test_extra_state_with_tensors_is_not_taken_for_a_state_dict():
    state = {**nn.Linear(2, 2).state_dict(), "_extra_state": {"scale": torch.ones(1)}}
    assert zoo.select_state_dict(state) == state


@pytest.mark.parametrize(
    ("loaded", "total", "text"),
    [
        (11_176_512, 11_181_642, "99.9%"),
        (11_181_642, 11_181_642, "100.0%"),
        (1, 11_181_642, "<0.1%"),
        (0, 11_181_642, "0.0%"),
        (1, 3, "33.3%"),
    ],
)
def test_share_is_rounded_down(loaded, total, text):
    report = zoo.LoadReport(loaded_parameters=loaded, total_parameters=total)
    assert f"({text})" in str(report)


def test_load_model_refuses_a_model_instead_of_a_function(saved):
    with pytest.raises(TypeError, match=r"got a Linear.*load_checkpoint\(model, filename\)"):
        zoo.load_model(nn.Linear(2, 2), saved)


@pytest.mark.parametrize(
    "call",
    [
        lambda path: zoo.load_checkpoint(nn.Linear(2, 2), path, prefx="a"),
        lambda path: zoo.load_model(lambda: nn.Linear(2, 2), path, prefx="a"),
        lambda path: zoo.PretrainedInit(str(path), mapp=True),
    ],
)
def test_error_suggests_a_name_for_an_unknown_option(saved, call):
    with pytest.raises(TypeError, match=r"unexpected keyword argument '\w+'; did you mean"):
        call(saved)


# -- hints work when they are followed -------------------------------------------------------------


def hinted_options(error: MismatchError) -> dict:
    """Return the `revise_keys` that the hint of an error suggests."""
    hint = str(error).rpartition("hint: ")[2]
    return {"revise_keys": eval(hint.partition("revise_keys=")[2].partition(" would")[0])}


@pytest.mark.parametrize(
    "prefix",
    [
        "backbone.",
        "module.backbone.",
        "module.module.",
        "module._orig_mod.",
        "module.model.",
        "_orig_mod.module.",
        "module.module._orig_mod.model.",
    ],
)
@pytest.mark.parametrize("inside", ["", "net."])
@pytest.mark.parametrize("under", [None, "part"])
def test_revise_keys_suggested_by_an_error_load_the_model(tmp_path, prefix, inside, under):
    def build():
        model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Linear(2, 3))
        return nn.ModuleDict({"net": model}) if inside else model

    state = {
        f"{under + '.' if under else ''}{prefix}{key.removeprefix(inside)}": value
        for key, value in build().state_dict().items()
    }
    torch.save(state, tmp_path / "x.pth")
    options = {"prefix": under} if under else {}
    with pytest.raises(MismatchError) as caught:
        zoo.load_checkpoint(build(), tmp_path / "x.pth", **options)
    zoo.load_checkpoint(
        build(), tmp_path / "x.pth", strict=True, **options, **hinted_options(caught.value)
    )


def test_revise_keys_suggested_by_load_state_dict_work_in_select_state_dict():
    state = {f"backbone.{key}": value for key, value in nn.Linear(2, 2).state_dict().items()}
    with pytest.raises(MismatchError, match="select_state_dict") as caught:
        zoo.load_state_dict(nn.Linear(2, 2), state)
    chosen = zoo.select_state_dict(state, **hinted_options(caught.value))
    zoo.load_state_dict(nn.Linear(2, 2), chosen, strict=True)


@pytest.mark.parametrize(
    ("content", "options", "error", "fix"),
    [
        (
            lambda s: {**s, "bias": torch.ones(9)},
            {"on_mismatch": "error"},
            "on_mismatch='skip'",
            {"on_mismatch": "skip"},
        ),
        (lambda s: {"x": torch.ones(1)}, {}, "allow_empty=True", {"allow_empty": True}),
        (lambda s: {"a": s, "b": s}, {}, "entry='a' or entry='b'", {"entry": "b"}),
        (
            lambda s: {f"net.{k}": v for k, v in s.items()},
            {"prefix": "n"},
            "'net'",
            {"prefix": "net"},
        ),
        (lambda s: {"a": s, "b": s}, {"entry": "c"}, "'a', 'b'", {"entry": "a"}),
    ],
)
def test_option_suggested_by_an_error_loads_the_file(tmp_path, content, options, error, fix):
    torch.save(content(nn.Linear(2, 2).state_dict()), tmp_path / "x.pth")
    with pytest.raises((MismatchError, CheckpointError), match=error):
        zoo.load_checkpoint(nn.Linear(2, 2), tmp_path / "x.pth", logger="silent", **options)
    zoo.load_checkpoint(nn.Linear(2, 2), tmp_path / "x.pth", logger="silent", **{**options, **fix})


def test_password_in_a_url_is_in_no_error_log_or_file(site, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": {"weight": torch.ones(1)}, "b": {"weight": torch.ones(1)}}, tmp_path / "x.pth")
    url = site.url("/x.pth", (tmp_path / "x.pth").read_bytes()).replace("//", "//me:secret@", 1)
    for call in (
        lambda: zoo.load_checkpoint(nn.Linear(1, 1), url),
        lambda: zoo.load_checkpoint(nn.Linear(1, 1), url, prefix="c", entry="a"),
        lambda: zoo.load_checkpoint(nn.Linear(1, 1), url, entry="a", strict=True),
        lambda: zoo.load_model(lambda: nn.Linear(1, 1), url, entry="c"),
        lambda: zoo.PretrainedInit(url)(nn.Linear(1, 1)),
    ):
        with caplog.at_level("INFO"), pytest.raises(zoo.ZooError) as caught:
            call()
        assert "secret" not in f"{caught.value} {caught.value.uri} {caplog.text}"
    path = zoo.convert(url, entry="a")
    assert b"secret" not in path.read_bytes()
