"""Round trips through each format: dtypes, versions, meta, extra states."""

from __future__ import annotations

import datetime
import json
import os
import stat

import brickwork_zoo as zoo
import numpy as np
import pytest
import torch
from brickwork_zoo._formats._dtypes import ITEM_SIZES, PACKED, SAFETENSORS_NAMES
from brickwork_zoo.errors import CheckpointError, InvalidInputError
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

FORMATS = [".pth", ".safetensors", ".dcp"]


def all_dtypes() -> set[torch.dtype]:
    return {value for value in vars(torch).values() if isinstance(value, torch.dtype)}


def filled(dtype: torch.dtype) -> torch.Tensor:
    """Return a tensor of any dtype with all bits in use."""
    size = ITEM_SIZES[str(dtype).removeprefix("torch.")]
    raw = torch.arange(8 * size, dtype=torch.uint8).reshape(2, 4 * size)
    return (raw % 2).bool() if dtype == torch.bool else raw.view(dtype)


def bits(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.contiguous().view(torch.uint8)


# -- dtypes ----------------------------------------------------------------------------------------


def test_dtype_table_has_the_sizes_of_torch():
    for name, size in ITEM_SIZES.items():
        assert getattr(torch, name).itemsize == size, name
    without = {str(dtype).removeprefix("torch.") for dtype in all_dtypes()} - set(ITEM_SIZES)
    # Types without operations, of which torch makes no ordinary tensors.
    assert all(name.startswith(("bit", "int", "uint")) for name in without), without


@pytest.mark.parametrize("name", SAFETENSORS_NAMES)
def test_safetensors_of_each_dtype_are_those_of_the_library(tmp_path, name):
    value = filled(getattr(torch, name))
    save_file({"x": value}, tmp_path / "library.safetensors")
    loaded = zoo.read_checkpoint(tmp_path / "library.safetensors")["x"]
    assert (loaded.dtype, loaded.shape) == (value.dtype, value.shape)
    assert torch.equal(bits(loaded), bits(value))
    model = nn.Module()
    model.register_buffer("x", value)
    zoo.save_checkpoint(model, tmp_path / "ours.safetensors")
    with safe_open(tmp_path / "ours.safetensors", "pt") as file:
        again = file.get_tensor("x")
    assert (again.dtype, again.shape) == (value.dtype, value.shape)
    assert torch.equal(bits(again), bits(value))
    (info,) = zoo.inspect(tmp_path / "ours.safetensors").tensors
    assert (info.dtype, info.shape, info.nbytes) == (name, tuple(value.shape), value.nbytes)


@pytest.mark.filterwarnings("ignore:ComplexHalf")  # torch warns about the dtype itself
@pytest.mark.parametrize("name", [n for n in ITEM_SIZES if not n.startswith("q")])
@pytest.mark.parametrize("legacy", [False, True])
def test_torch_files_of_each_dtype_are_read_as_data(tmp_path, name, legacy):
    value = filled(getattr(torch, name))
    torch.save({"x": value}, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
    assert zoo.inspect(tmp_path / "x.pth").unsafe == ()
    for options in ({}, {"mmap": True}):
        loaded = zoo.read_checkpoint(tmp_path / "x.pth", **options)["x"]
        assert (loaded.dtype, loaded.shape) == (value.dtype, value.shape)
        assert torch.equal(bits(loaded), bits(value))


@pytest.mark.filterwarnings("ignore:ComplexHalf", "ignore:torch.quantize")  # raised by torch
@pytest.mark.parametrize("name", sorted(ITEM_SIZES.keys() - SAFETENSORS_NAMES.keys()))
def test_dtype_that_safetensors_does_not_have_is_refused(tmp_path, name):
    if name.startswith("q"):
        value = torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8)
    else:
        value = torch.zeros(2, dtype=getattr(torch, name))
    model = nn.Module()
    model.register_buffer("x", value)
    with pytest.raises(InvalidInputError, match=r"x\.safetensors.*'x'.*use \.pth"):
        zoo.save_checkpoint(model, tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())


def test_packed_dtype_counts_numbers_in_the_header(tmp_path):
    assert PACKED == {"float4_e2m1fn_x2": 2}
    header = {"x": {"dtype": "F4", "shape": [3], "data_offsets": [0, 2]}}
    text = json.dumps(header).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(2))
    with pytest.raises(CheckpointError, match="whole bytes"):
        zoo.read_checkpoint(path)


# -- versions, meta and extra states ---------------------------------------------------------------


class Scaled(nn.Module):
    """Module that stored its scale in percent up to version 1."""

    _version = 2

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(0.5))

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        key = prefix + "scale"
        if local_metadata.get("version", 1) < 2 and key in state_dict:
            state_dict[key] = state_dict[key] / 100
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("return_weights", [True, False])
def test_versions_of_modules_survive(tmp_path, suffix, return_weights):
    path = tmp_path / f"x{suffix}"
    zoo.save_checkpoint(nn.Sequential(Scaled()), path)
    model = nn.Sequential(Scaled())
    zoo.load_checkpoint(model, path, strict=True, return_weights=return_weights)
    assert model[0].scale == 0.5
    assert zoo.load_model(lambda: nn.Sequential(Scaled()), path)[0].scale == 0.5


@pytest.mark.parametrize("first", [".pth", ".safetensors"])
@pytest.mark.parametrize("second", [".pth", ".safetensors"])
def test_versions_survive_conversion(tmp_path, first, second):
    zoo.save_checkpoint(nn.Sequential(Scaled()), tmp_path / f"x{first}")
    path = zoo.convert(tmp_path / f"x{first}", tmp_path / f"y{second}")
    model = nn.Sequential(Scaled())
    zoo.load_checkpoint(model, path, strict=True)
    assert model[0].scale == 0.5


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_versions_survive_in_shards(tmp_path, suffix):
    model = nn.Sequential(Scaled(), Scaled())
    names = [f"part-{number}.{suffix}" for number in range(2)]
    for number, name in enumerate(names):
        part = zoo.select_state_dict(model.state_dict(), revise_keys=_only(f"{number}."))
        torch.save(part, tmp_path / "x.pth")
        zoo.convert(tmp_path / "x.pth", tmp_path / name) if suffix != "pth" else (
            tmp_path / "x.pth"
        ).rename(tmp_path / name)
    index = {"weight_map": {f"{number}.scale": name for number, name in enumerate(names)}}
    (tmp_path / "x.index.json").write_text(json.dumps(index))
    again = nn.Sequential(Scaled(), Scaled())
    zoo.load_checkpoint(again, tmp_path / "x.index.json", strict=True)
    assert again[0].scale == again[1].scale == 0.5


def _only(prefix: str):
    return lambda key: key if key.startswith(prefix) else None


META = {
    "epoch": 3,
    "loss": 0.25,
    "nothing": None,
    "yes": True,
    "name": "résumé",
    "infinite": float("inf"),
    "CLASSES": ("cat", "dog"),
    "PALETTE": [[1, 2, 3], (4, 5, 6)],
    "by number": {1: "a", (2, 3): "b"},
    "nested": {"a": {"b": (1, [2, {"c": ()}])}},
    "bytes": b"\x00\xff",
    "set": {1, 2},
    "when": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "array": np.arange(6.0).reshape(2, 3),
    "scalar": np.float32(0.5),
    "!odd": {"!tuple": 1},
}


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("suffix", FORMATS)
def test_meta_survives(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    zoo.save_checkpoint(nn.Linear(1, 1), path, meta=META)
    meta = zoo.load_checkpoint(nn.Linear(1, 1), path, strict=True)["meta"]
    assert set(meta) == {*META, "time"}
    for key, value in META.items():
        np.testing.assert_array_equal(meta[key], value, err_msg=key)
        assert type(meta[key]) is type(value), key
    assert repr(meta["nested"]) == repr(META["nested"])


def test_meta_of_safetensors_is_shown_by_inspect_and_read_by_other_programs(tmp_path):
    path = tmp_path / "x.safetensors"
    zoo.save_checkpoint(nn.Linear(1, 1), path, meta={"epoch": 3, "names": ["a"]})
    other = zoo.inspect(path).other
    assert other["meta/epoch"] == "3"
    assert other["meta/names/0"] == "'a'"
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    assert metadata["format"] == "pt"
    assert json.loads(metadata["brickwork.meta"])["epoch"] == 3
    assert load_file(path).keys() == {"weight", "bias"}


def test_meta_with_code_in_it_is_not_run(tmp_path, capsys):
    class Evil:
        def __reduce__(self):
            return print, ("ran",)

    path = tmp_path / "x.safetensors"
    zoo.save_checkpoint(nn.Linear(1, 1), path, meta={"evil": Evil()})
    meta = zoo.read_checkpoint(path)["meta"]
    assert isinstance(meta["evil"], zoo.OpaqueObject)
    assert meta["evil"].type_name == "builtins.print"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["{", '{"!pickle": "?"}', '{"!pickle": "gARi"}', "[" * 100_000])
def test_damaged_meta_of_safetensors_is_an_error(tmp_path, text):
    save_file({"x": torch.ones(1)}, tmp_path / "x.safetensors", metadata={"brickwork.meta": text})
    with pytest.raises(CheckpointError, match=r"x\.safetensors.*brickwork\.meta"):
        zoo.read_checkpoint(tmp_path / "x.safetensors")


class Stateful(nn.Linear):
    def get_extra_state(self):
        return {"steps": 3, "names": ("a", "b")}

    def set_extra_state(self, state):
        self.state = state


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_extra_states_survive(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    zoo.save_checkpoint(nn.Sequential(Stateful(1, 1)), path)
    model = nn.Sequential(Stateful(1, 1))
    zoo.load_checkpoint(model, path, strict=True)
    assert model[0].state == {"steps": 3, "names": ("a", "b")}


def test_meta_that_does_not_pickle_leaves_no_file(tmp_path):
    for suffix in (".pth", ".safetensors"):
        with pytest.raises(Exception, match="pickle"):
            zoo.save_checkpoint(nn.Linear(1, 1), tmp_path / f"x{suffix}", meta={"f": lambda: 1})
    assert not list(tmp_path.iterdir())


# -- permissions and names -------------------------------------------------------------------------


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request):
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_new_file_has_the_mode_of_the_umask(tmp_path, umask, suffix):
    zoo.save_checkpoint(nn.Linear(1, 1), tmp_path / f"x{suffix}")
    zoo.convert(tmp_path / f"x{suffix}", tmp_path / f"y{suffix}")
    for name in ("x", "y"):
        mode = stat.S_IMODE((tmp_path / f"{name}{suffix}").stat().st_mode)
        assert mode == 0o666 & ~umask


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_replaced_file_keeps_its_mode(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    path.touch()
    path.chmod(0o664)
    zoo.save_checkpoint(nn.Linear(1, 1), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("suffix", FORMATS)
def test_file_name_may_have_255_bytes(tmp_path, suffix):
    path = tmp_path / ("x" * (255 - len(suffix)) + suffix)
    zoo.save_checkpoint(nn.Linear(1, 1), path)
    zoo.load_checkpoint(nn.Linear(1, 1), path, strict=True)
    assert list(tmp_path.iterdir()) == [path]
