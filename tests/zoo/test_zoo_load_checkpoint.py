"""Loading into a model: selected keys, reports, errors, adapters."""

from __future__ import annotations

import contextlib
import json
import logging
import pickle
import zipfile

import brickwork_zoo as zoo
import pytest
import torch
from brickwork_base import Sequential
from brickwork_init import INITIALIZERS, deferred, init_report, is_loaded, uninitialized
from brickwork_zoo.errors import (
    CheckpointError,
    MismatchError,
    MissingFileError,
    ZooError,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn


def net(classes: int = 5) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, classes))


def values(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def same(model, expected):
    loaded = model.state_dict()
    return loaded.keys() == expected.keys() and all(
        torch.equal(loaded[key], value) for key, value in expected.items()
    )


@pytest.fixture
def saved(tmp_path):
    """Return a network and its checkpoint in mmcv's form."""
    model = net()
    path = tmp_path / "net.pth"
    torch.save({"meta": {"epoch": 3}, "state_dict": model.state_dict()}, path)
    return model, path


def test_broadcast_without_a_process_group_loads_the_file(saved):
    model, path = saved
    other = net()
    assert zoo.load_checkpoint(other, path, strict=True, broadcast=True)["meta"] == {"epoch": 3}
    assert same(other, values(model))


def write_shards(folder, state, write, suffix):
    folder.mkdir()
    keys = list(state)
    parts = {f"part-1.{suffix}": keys[:3], f"part-2.{suffix}": keys[3:]}
    for name, held in parts.items():
        write({key: state[key] for key in held}, folder / name)
    weight_map = {key: name for name, held in parts.items() for key in held}
    index = folder / f"model.{suffix}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return index


FORMATS = {
    "zip": lambda state, base: torch.save(state, base / "x.pth") or base / "x.pth",
    "legacy": lambda state, base: (
        torch.save(state, base / "x.pth", _use_new_zipfile_serialization=False) or base / "x.pth"
    ),
    "safetensors": lambda state, base: save_file(state, base / "x.st") or base / "x.st",
    "safetensors shards": lambda state, base: write_shards(
        base / "s", state, save_file, "safetensors"
    ),
    "torch shards": lambda state, base: write_shards(base / "s", state, torch.save, "bin"),
    "folder of shards": lambda state, base: (
        write_shards(base / "s", state, torch.save, "bin").parent
    ),
    "file://": lambda state, base: torch.save(state, base / "x.pth") or (base / "x.pth").as_uri(),
}


@pytest.mark.parametrize("form", FORMATS)
def test_each_format_loads_the_same_values(tmp_path, form):
    state = net().state_dict()
    path = FORMATS[form](dict(state), tmp_path)
    loaded, ready = net(), None
    zoo.load_checkpoint(loaded, str(path), strict=True)
    ready = zoo.load_model(net, str(path), strict=True)
    assert same(loaded, state)
    assert same(ready, state)
    assert all(is_loaded(m, name) for m in (loaded, ready) for name, _ in m.named_parameters())
    assert [(p.requires_grad, p.dtype, p.device) for p in ready.parameters()] == [
        (p.requires_grad, p.dtype, p.device) for p in net().parameters()
    ]


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
def test_folder_of_torch_distributed_checkpoint_loads(tmp_path):
    from torch.distributed.checkpoint import save

    state = net().state_dict()
    save({"model": state, "epoch": 3}, checkpoint_id=tmp_path / "dcp")
    model = net()
    zoo.load_checkpoint(model, tmp_path / "dcp", strict=True)
    assert same(model, state)
    assert {t.key for t in zoo.inspect(tmp_path / "dcp").tensors} == {f"model.{k}" for k in state}


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damaged_folder_raises_and_leaves_the_model_unchanged(tmp_path_factory, data):
    from torch.distributed.checkpoint import save

    folder = tmp_path_factory.mktemp("fuzz") / "dcp"
    save({"model": net().state_dict(), "epoch": 3}, checkpoint_id=folder)
    for file in sorted(folder.iterdir()):
        raw = bytearray(file.read_bytes())  # its length varies
        for _ in range(data.draw(st.integers(0, 3))):
            raw[data.draw(st.integers(0, 2**16)) % len(raw)] = data.draw(st.integers(0, 255))
        file.write_bytes(raw[: len(raw) - data.draw(st.integers(0, 2))])
    model = net()
    before = values(model)
    try:
        zoo.load_checkpoint(model, folder, logger="silent", return_weights=data.draw(st.booleans()))
    except (CheckpointError, MismatchError):
        assert same(model, before)
    with contextlib.suppress(CheckpointError):
        zoo.inspect(folder)


class Evil:
    def __reduce__(self):
        return print, ("ran",)


@pytest.mark.parametrize("content", [Evil(), {"a": 1}, b"not pickled"])
def test_code_in_folder_metadata_is_not_run(tmp_path, capsys, content):
    data = content if isinstance(content, bytes) else pickle.dumps(content)
    (tmp_path / ".metadata").write_bytes(data)
    with pytest.raises(CheckpointError, match="metadata"):
        zoo.load_checkpoint(net(), tmp_path)
    assert capsys.readouterr().out == ""


def test_tensors_keep_dtype_stride_and_shared_memory(tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    state = {
        "transposed": base.t(),
        "part": base[1:3, 2:],
        "whole": base,
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(7),
        "expanded": torch.ones(1).expand(5),
        "parameter": nn.Parameter(torch.ones(2), requires_grad=False),
        **{
            str(dtype): torch.ones(3).to(dtype)
            for dtype in (torch.float16, torch.bfloat16, torch.bool, torch.int8, torch.complex64)
        },
    }
    for legacy in (False, True):
        path = tmp_path / f"{legacy}.pth"
        torch.save(state, path, _use_new_zipfile_serialization=not legacy)
        loaded = zoo.read_checkpoint(path)
        expected = torch.load(path, weights_only=True)
        assert loaded.keys() == expected.keys()
        for key, value in expected.items():
            assert torch.equal(loaded[key], value), key
            assert (loaded[key].dtype, loaded[key].stride()) == (value.dtype, value.stride())
            assert type(loaded[key]) is type(value)
        shared = loaded["whole"].untyped_storage().data_ptr()
        assert loaded["part"].untyped_storage().data_ptr() == shared


def test_writing_to_loaded_tensors_does_not_change_the_file(saved):
    _, path = saved
    before = path.read_bytes()
    ready = zoo.load_model(net, path)
    with torch.no_grad():
        for parameter in ready.parameters():
            parameter.zero_()
    assert path.read_bytes() == before


def test_load_checkpoint_returns_the_checkpoint(saved):
    _, path = saved
    assert zoo.load_checkpoint(net(), str(path))["meta"] == {"epoch": 3}


@pytest.mark.parametrize(
    ("wrap", "options"),
    [
        (lambda sd: {f"module.{k}": v for k, v in sd.items()}, {}),
        (lambda sd: {"model": sd, "epoch": 3}, {}),
        (lambda sd: {"model": sd, "ema": sd}, {"entry": "ema"}),
        (lambda sd: {f"backbone.{k}": v for k, v in sd.items()}, {"prefix": "backbone"}),
        (
            lambda sd: {f"net_{k}": v for k, v in sd.items()},
            {"revise_keys": [(r"^net_(\d)", r"\1")]},
        ),
        (
            lambda sd: {k.upper(): v for k, v in sd.items()},
            {"revise_keys": str.lower},
        ),
    ],
)
def test_prefix_entry_and_revise_keys_select_the_keys(tmp_path, wrap, options):
    state = dict(net().state_dict())
    torch.save(wrap(state), tmp_path / "x.pth")
    model = net()
    zoo.load_checkpoint(model, tmp_path / "x.pth", strict=True, **options)
    assert same(model, state)


def test_report_lists_keys_by_common_prefix(caplog):
    model = nn.ModuleDict({"trunk": net(), "head": net()})
    state = {f"trunk.{key}": value for key, value in net().state_dict().items()}
    state["trunk.2.weight"] = torch.zeros(9, 4)
    state |= {"neck.a.weight": torch.zeros(1), "neck.b": torch.zeros(1)}
    with caplog.at_level(logging.INFO, "brickwork_zoo"):
        report = zoo.load_state_dict(model, state, source="somewhere.pth")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert report.unexpected == ("neck.a.weight", "neck.b")
    (odd,) = report.mismatched
    assert (odd.name, odd.model_shape, odd.checkpoint_shape) == ("trunk.2.weight", (5, 4), (9, 4))
    assert len(report.loaded) == 8
    assert all(name.startswith("head.") for name in report.missing)
    sizes = {n: p.numel() for n, p in model.named_parameters()}
    loaded = sum(size for name, size in sizes.items() if name in report.loaded)
    assert report.loaded_parameters == loaded
    assert report.share == pytest.approx(loaded / sum(sizes.values()))
    text = str(report)
    assert "somewhere.pth" in text
    for words in (  # as in the messages of mmcv
        "The model and loaded state dict do not match exactly",
        "unexpected key in source state_dict",
        "missing keys in source state_dict",
        "size mismatch for trunk.2.weight",
    ):
        assert words in text
    assert "neck.* (2)" in text
    assert "trunk.2.weight: [9, 4] in the checkpoint, [5, 4] in the model" in text


def test_missing_num_batches_tracked_is_not_a_mismatch():
    state = dict(net().state_dict())
    del state["1.num_batches_tracked"]
    assert zoo.load_state_dict(net(), state, strict=True).complete


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        (lambda s: s.pop("2.bias"), {"strict": True}, ["missing", "2.bias"]),
        (lambda s: s.update(more=torch.ones(1)), {"strict": True}, ["unexpected", "more"]),
        (lambda s: s.update({"2.bias": torch.ones(9)}), {"strict": True}, ["shape", "[9]"]),
        (
            lambda s: s.update({"2.bias": torch.ones(9)}),
            {"on_mismatch": "error"},
            ["2.bias", "skip"],
        ),
        (lambda s: s.clear(), {}, ["nothing", "allow_empty"]),
    ],
)
def test_mismatch_error_leaves_the_model_unchanged(change, options, words):
    model = net()
    before = values(model)
    state = dict(net().state_dict())
    change(state)
    with pytest.raises(MismatchError) as caught:
        zoo.load_state_dict(model, state, **options)
    assert all(word in str(caught.value) for word in words)
    assert isinstance(caught.value, ZooError | RuntimeError)
    assert same(model, before)
    assert not any(is_loaded(model, name) for name, _ in model.named_parameters())
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.report == caught.value.report


def test_strict_error_lists_all_mismatches():
    state = dict(net().state_dict())
    state |= {"more": torch.ones(1), "2.bias": torch.ones(9)}
    del state["0.bias"]
    with pytest.raises(MismatchError, match=r"(?s)0\.bias.*more.*2\.bias: \[9\]"):
        zoo.load_state_dict(net(), state, strict=True)


def test_allow_empty_accepts_that_nothing_is_loaded():
    assert not zoo.load_state_dict(net(), {}, allow_empty=True).loaded
    assert not zoo.load_state_dict(nn.ReLU(), {}).loaded


@pytest.mark.parametrize(
    ("rename", "hint"),
    [
        (lambda k: f"backbone.{k}", r"(r'^backbone\.', '')"),
        (lambda k: f"a.b.{k}", r"(r'^a\.b\.', '')"),
    ],
)
def test_error_suggests_a_prefix_to_remove(rename, hint):
    with pytest.raises(MismatchError) as caught:
        zoo.load_state_dict(net(), {rename(k): v for k, v in net().state_dict().items()})
    assert hint in str(caught.value)


def test_error_suggests_a_prefix_to_add():
    model = nn.ModuleDict({"backbone": net()})
    with pytest.raises(MismatchError, match=r"\(r'\^', 'backbone\.'\)"):
        zoo.load_state_dict(model, net().state_dict())
    other = {f"k{n}": v for n, v in enumerate(net().state_dict().values())}
    with pytest.raises(MismatchError, match="same order"):
        zoo.load_state_dict(net(), other)


class Renamed(nn.Module):
    """Module that renames an old key if the version of the checkpoint is old."""

    _version = 2

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.register_load_state_dict_post_hook(lambda module, _: setattr(module, "told", True))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if local_metadata.get("version", 1) < 2 and prefix + "w" in state_dict:
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "w")
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def test_modules_rename_their_own_old_keys():
    model = nn.Sequential(Renamed())
    state_dict = {"0.w": torch.ones(2)}
    assert zoo.load_state_dict(model, state_dict, strict=True).complete
    assert torch.equal(model[0].weight, torch.ones(2))
    assert list(state_dict) == ["0.w"]
    assert model[0].told


def test_versions_of_modules_follow_renamed_keys(tmp_path):
    old = nn.Sequential(nn.Sequential(Renamed())).state_dict()
    old._metadata["0.0"]["version"] = 1
    old["0.0.w"] = torch.ones(2)
    del old["0.0.weight"]
    torch.save(old, tmp_path / "x.pth")
    model = nn.Sequential(Renamed())
    zoo.load_checkpoint(model, tmp_path / "x.pth", prefix="0", strict=True)
    old._metadata["0.0"]["version"] = 2
    torch.save(old, tmp_path / "x.pth")
    with pytest.raises(MismatchError):
        zoo.load_checkpoint(model, tmp_path / "x.pth", prefix="0", strict=True)


class Stateful(nn.Linear):
    def get_extra_state(self):
        return {"steps": 3}

    def set_extra_state(self, state):
        self.steps = state["steps"]


def test_extra_state_is_set_only_after_all_checks():
    state = Stateful(1, 1).state_dict()
    model = Stateful(1, 1)
    with pytest.raises(MismatchError):
        zoo.load_state_dict(model, {**state, "more": torch.ones(1)}, strict=True)
    assert not hasattr(model, "steps")
    zoo.load_state_dict(model, state, strict=True)
    assert model.steps == 3


def test_names_of_wrappers_are_not_part_of_keys(saved):
    model, path = saved
    wrapped = nn.DataParallel(nn.Sequential(nn.DataParallel(net())))
    state = {f"0.{key}": value for key, value in model.state_dict().items()}
    zoo.load_state_dict(wrapped, state, strict=True)
    assert same(wrapped.module[0].module, model.state_dict())
    compiled = torch.compile(net(), backend="eager")
    zoo.load_checkpoint(compiled, path, strict=True)
    assert all(is_loaded(compiled, name) for name, _ in compiled.named_parameters())


def test_tied_weights_stay_tied(tmp_path):
    def tied():
        model = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
        model[1].weight = model[0].weight
        return model

    torch.save(tied().state_dict(), tmp_path / "x.pth")
    for model in (tied(), zoo.load_model(tied, tmp_path / "x.pth")):
        zoo.load_checkpoint(model, tmp_path / "x.pth", strict=True)
        assert model[0].weight is model[1].weight


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>login</html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git-lfs"),
        (b"\x1f\x8b\x08 gzip", "compressed"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"hello world", "hello"),
        (b"{}", "index"),
        (b'{"weight_map": {"a": "../../etc/passwd"}}', "in the same folder"),
        (b'{"weight_map": {"a": "/etc/passwd"}}', "in the same folder"),
        (b'{"weight_map": {"a": "gone.bin"}}', "gone.bin"),
        (pickle.dumps({"a": 1}), "torch.save did not write"),
        (b"\xff" * 7 + b"\x7f{", "not a checkpoint"),
        (b"\x02\0\0\0\0\0\0\0[]", "not a checkpoint"),
        (b"\x40\0\0\0\0\0\0\0{}", "invalid safetensors header"),
    ],
)
def test_error_for_another_kind_of_file_names_the_kind(tmp_path, data, words):
    path = tmp_path / "file.pth"
    path.write_bytes(data)
    model = net()
    before = values(model)
    with pytest.raises(CheckpointError) as caught:
        zoo.load_checkpoint(model, path)
    assert words in str(caught.value)
    assert "file.pth" in str(caught.value)
    assert same(model, before)


def header(**entries):
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [96, 104]},
        {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]},
        {"dtype": "X7", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32", "shape": [2], "data_offsets": [-8, 0]},
        {"dtype": "F32", "shape": [2]},
        [1],
    ],
)
def test_invalid_safetensors_header_is_an_error(tmp_path, entry):
    path = tmp_path / "bad.safetensors"
    path.write_bytes(header(a=entry) + bytes(16))
    with pytest.raises(CheckpointError, match=r"bad\.safetensors"):
        zoo.load_checkpoint(nn.Linear(1, 1), path)


def test_overlapping_safetensors_are_an_error(tmp_path):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    path = tmp_path / "bad.safetensors"
    path.write_bytes(header(a=entry, b=entry) + bytes(8))
    with pytest.raises(CheckpointError, match="overlaps another"):
        zoo.load_checkpoint(nn.Linear(1, 1), path)


@pytest.mark.parametrize("legacy", [False, True])
def test_file_truncated_anywhere_is_an_error(tmp_path, legacy):
    path = tmp_path / "cut.pth"
    torch.save(net().state_dict(), path, _use_new_zipfile_serialization=not legacy)
    whole = path.read_bytes()
    model = net()
    before = values(model)
    for length in range(0, len(whole) - 1, max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match=r"cut\.pth"):
            zoo.load_checkpoint(model, path, logger="silent")
    assert same(model, before)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "list"),
        ({"a": 1}, "no state dict"),
        ({"model": {"a": torch.ones(1)}, "ema": {"a": torch.ones(1)}}, "entry="),
        ({1: torch.ones(1)}, "strings"),
        ({"state_dict": {"a": torch.ones(1), "b": 2}}, "not tensors: b (int)"),
    ],
)
def test_error_without_a_state_dict_names_the_content(tmp_path, content, words):
    torch.save(content, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError) as caught:
        zoo.load_checkpoint(nn.Linear(1, 1), tmp_path / "odd.pth")
    assert words in str(caught.value)
    assert "odd.pth" in str(caught.value)


def test_torchscript_and_other_archives_are_an_error(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(CheckpointError, match=r"one entry .* got 0"):
        zoo.read_checkpoint(tmp_path / "x.pth")
    with zipfile.ZipFile(tmp_path / "y.pth", "w") as archive:
        archive.writestr("y/data.pkl", b"N.")
        archive.writestr("y/constants.pkl", b"N.")
    with pytest.raises(CheckpointError, match="TorchScript"):
        zoo.read_checkpoint(tmp_path / "y.pth")
    with zipfile.ZipFile(tmp_path / "z.pth", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z/data.pkl", b"N." + bytes(1000))
    with pytest.raises(CheckpointError, match="compressed"):
        zoo.read_checkpoint(tmp_path / "z.pth")


def test_missing_file_is_a_file_not_found_error(tmp_path):
    with pytest.raises(MissingFileError):
        zoo.load_checkpoint(net(), str(tmp_path / "gone.pth"))


# -- load_model ---------------------------------------------------------------------------------


class Drawn(nn.Module):
    """Has a parameter that is never initialized."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3))


def test_load_model_initializes_what_the_checkpoint_lacks(tmp_path):
    torch.save(nn.Sequential(nn.Linear(4, 4)).state_dict(), tmp_path / "x.pth")

    def build():
        return nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 300), nn.BatchNorm1d(300))

    model = zoo.load_model(build, tmp_path / "x.pth", logger="silent")
    assert uninitialized(model) == []
    bound = 4**-0.5  # bound of the default initialization of nn.Linear
    assert model[1].weight.abs().max() <= bound
    assert model[1].weight.detach().std() == pytest.approx(bound / 3**0.5, rel=0.1)
    assert model[2].running_var.eq(1).all()
    assert model[2].num_batches_tracked == 0
    assert "x.pth" in str(init_report(model))


def test_load_model_keeps_constants_of_constructors_that_the_checkpoint_lacks(tmp_path):
    def build():
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2), nn.BatchNorm1d(2))
        nn.init.constant_(model[1].bias, -4.6)
        nn.init.zeros_(model[2].weight)
        return model

    torch.save(nn.Sequential(nn.Linear(4, 4)).state_dict(), tmp_path / "x.pth")
    model = zoo.load_model(build, tmp_path / "x.pth", logger="silent")
    assert (model[1].bias == -4.6).all()
    assert (model[2].weight == 0).all()
    assert init_report(model)["1.bias"].source.kind == "default"
    assert 0 < model[1].weight.abs().max() <= 0.5


def test_load_model_prefers_the_file_to_a_pretrained_of_the_model(saved, tmp_path):
    model, _ = saved
    torch.save(net().state_dict(), tmp_path / "other.pth")
    init_cfg = dict(type="Pretrained", checkpoint=str(tmp_path / "other.pth"), strict=True)
    state = {key: value for key, value in model.state_dict().items() if key != "2.bias"}
    torch.save(state, tmp_path / "part.pth")
    loaded = zoo.load_model(
        lambda: Sequential(*net(), init_cfg=init_cfg), tmp_path / "part.pth", logger="silent"
    )
    assert torch.equal(loaded[0].weight, model[0].weight)
    report = init_report(loaded)
    assert "part.pth" in report["0.weight"].source.by
    assert "other.pth" in report["2.bias"].source.by


def test_load_model_raises_for_uninitialized_parameters(tmp_path):
    torch.save(nn.Sequential(nn.Linear(1, 1)).state_dict(), tmp_path / "x.pth")
    with pytest.raises(RuntimeError, match=r"1\.weight"):
        zoo.load_model(lambda: nn.Sequential(nn.Linear(1, 1), Drawn()), tmp_path / "x.pth")


def test_load_model_keeps_the_dtype_of_the_model(saved):
    _, path = saved
    assert zoo.load_model(lambda: net().half(), path)[0].weight.dtype == torch.float16


def test_load_model_raises_for_other_shapes_by_default(saved):
    _, path = saved
    with pytest.raises(MismatchError, match="on_mismatch='skip'"):
        zoo.load_model(lambda: net(7), path)
    model = zoo.load_model(lambda: net(7), path, on_mismatch="skip", logger="silent")
    assert not is_loaded(model, "2.weight")
    assert is_loaded(model, "0.weight")


def test_load_checkpoint_gives_memory_to_a_deferred_model(saved):
    model, path = saved
    with deferred():
        late = net()
    zoo.load_checkpoint(late, path, strict=True)
    assert same(late, model.state_dict())


# -- adapters -----------------------------------------------------------------------------------


def test_adapt_input_channels_keeps_the_output_of_gray_images():
    source = torch.randn(4, 3, 3, 3)
    model = nn.Conv2d(1, 4, 3, bias=False)
    report = zoo.load_state_dict(model, {"weight": source}, adapters=[zoo.adapt_input_channels])
    image = torch.randn(1, 1, 8, 8)
    gray = torch.nn.functional.conv2d(image.expand(1, 3, 8, 8), source)
    torch.testing.assert_close(model(image), gray)
    assert report.adapted == {"weight": "[4, 3, 3, 3] -> [4, 1, 3, 3]"}
    wide = zoo.adapt_input_channels("w", torch.ones(1, 3, 1, 1), torch.zeros(1, 6, 1, 1))
    assert wide.sum() == 3


def test_adapt_position_embedding_resamples_the_grid():
    rows = torch.arange(4.0).repeat_interleave(4).reshape(1, 16, 1)
    source = torch.cat([torch.full((1, 1, 1), 9.0), rows], dim=1)
    loaded = zoo.adapt_position_embedding("pos_embed", source, torch.zeros(1, 65, 1))
    assert loaded.shape == (1, 65, 1)
    assert loaded[0, 0] == 9
    grid = loaded[0, 1:, 0].reshape(8, 8)
    assert torch.allclose(grid, grid[:, :1].expand(8, 8))
    assert (grid[1:, 0] >= grid[:-1, 0] - 0.2).all()
    assert torch.equal(
        zoo.adapt_position_embedding("pos_embed", source, torch.zeros(1, 64, 1)), loaded[:, 1:]
    )
    for old, new in ((17, 17), (16, 65), (1, 2), (1, 3), (3, 7)):
        given = torch.zeros(1, old, 1)
        assert zoo.adapt_position_embedding("pos_embed", given, torch.zeros(1, new, 1)) is None
    assert zoo.adapt_position_embedding("other", source, torch.zeros(1, 65, 1)) is None
    assert zoo.adapt_position_embedding("pos_embed", source, torch.zeros(1, 60, 1)) is None


def test_adapt_classes_selects_rows():
    model = net(3)
    own = model[2].weight.detach().clone()
    state = net(5).state_dict()
    adapter = zoo.adapt_classes(["2.weight", "2.bias"], [4, -1, 0])
    zoo.load_state_dict(model, state, strict=True, adapters=[adapter])
    assert torch.equal(model[2].weight[0], state["2.weight"][4])
    assert torch.equal(model[2].weight[1], own[1])
    assert torch.equal(model[2].weight[2], state["2.weight"][0])
    turned = net(5)
    zoo.load_state_dict(
        turned, state, adapters=[zoo.adapt_classes(["2.weight", "2.bias"], [4, 3, 2, 1, 0])]
    )
    assert torch.equal(turned[2].weight, state["2.weight"].flip(0))
    with pytest.raises(ValueError, match="-2"):
        zoo.adapt_classes(["2.weight"], [0, -2])
    with pytest.raises(ValueError, match=r"below 5.* got 9"):
        zoo.load_state_dict(net(1), state, adapters=[zoo.adapt_classes(["2.weight"], [9])])


def test_adapt_classes_cannot_keep_values_in_load_model(tmp_path):
    torch.save(net(5).state_dict(), tmp_path / "x.pth")
    names = ["2.weight", "2.bias"]
    picked = zoo.adapt_classes(names, [4, 0])
    assert (
        zoo.load_model(lambda: net(2), tmp_path / "x.pth", adapters=[picked])[2].out_features == 2
    )
    with pytest.raises(ValueError, match=r"2\.weight.*load_checkpoint"):
        zoo.load_model(
            lambda: net(2), tmp_path / "x.pth", adapters=[zoo.adapt_classes(names, [4, -1])]
        )


# -- Pretrained, and the names of mmcv -----------------------------------------------------------


def test_pretrained_selects_a_prefix_and_renames_keys(tmp_path):
    state = {f"backbone.n{key}": value for key, value in net().state_dict().items()}
    torch.save({"state_dict": state, "meta": {}}, tmp_path / "x.pth")
    cfg = {
        "type": "Pretrained",
        "checkpoint": str(tmp_path / "x.pth"),
        "prefix": "backbone",
        "revise_keys": [(r"^n", "")],
    }
    model = net()
    rule = INITIALIZERS.build(cfg)
    rule(model)
    assert rule.loads_weights
    assert torch.equal(model[0].weight, state["backbone.n0.weight"])
    assert "x.pth" in repr(rule)
    with pytest.raises(CheckpointError, match="prefix 'neck'"):
        INITIALIZERS.build({**cfg, "prefix": "neck"})(net())


def test_index_at_a_url_downloads_its_shards(site, tmp_path):
    state = dict(net().state_dict())
    index = write_shards(tmp_path / "s", state, save_file, "safetensors")
    for file in index.parent.iterdir():
        site.url(f"/m/{file.name}", file.read_bytes())
    model = net()
    zoo.load_checkpoint(model, site.url(f"/m/{index.name}"), strict=True)
    assert same(model, state)


@pytest.mark.parametrize("uri", ["hf://o/r/d/{}@refs/pr/3", "HF://o/r/d/{}@refs/pr/3"])
def test_shards_on_the_hub_have_the_revision_of_their_index(site, tmp_path, monkeypatch, uri):
    state = net().state_dict()
    index = write_shards(tmp_path / "s", state, save_file, "safetensors")
    for file in index.parent.iterdir():
        site.url(f"/o/r/resolve/refs%2Fpr%2F3/d/{file.name}", file.read_bytes())
    monkeypatch.setenv("HF_ENDPOINT", site.url("/").rstrip("/"))
    model = net()
    zoo.load_checkpoint(model, uri.format(index.name), strict=True)
    assert same(model, state)
    assert site.asked() == 3
