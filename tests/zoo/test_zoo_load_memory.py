"""Memory of loading: mapped or separate from the file, lazy reads, and peak size."""

from __future__ import annotations

import json
import os
import shutil
import textwrap
import zipfile
from pathlib import Path

import brickwork_zoo as zoo
import pytest
import torch
from brickwork_init import deferred
from brickwork_zoo._formats import _read_tensor
from brickwork_zoo._formats._data_file import DataFile
from brickwork_zoo._formats._read_path import read_path
from brickwork_zoo._load import _load_state_dict
from brickwork_zoo.errors import CheckpointError
from safetensors.torch import save_file
from torch import nn

from tests.support.python import run_python


def net() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 5))


def write(model: nn.Module, path: Path, *, legacy: bool = False) -> Path:
    if path.suffix == ".safetensors":
        save_file(model.state_dict(), path)
    else:
        torch.save(
            {"state_dict": model.state_dict(), "meta": {"epoch": 3}},
            path,
            _use_new_zipfile_serialization=not legacy,
        )
    return path


def load(how: str, path: Path) -> nn.Module:
    model = net()
    if how == "load_model":
        return zoo.load_model(net, path, strict=True)
    if how == "pretrained":
        zoo.PretrainedInit(str(path), strict=True)(model)
    else:
        zoo.load_checkpoint(model, path, strict=True, return_weights=how == "load_checkpoint")
    return model


def mapped_files() -> set[str]:
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}


HOW = ["load_checkpoint", "without weights", "load_model", "pretrained"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("name", ["x.pth", "legacy.pth", "x.safetensors"])
def test_local_file_may_be_truncated_and_rewritten_after_loading(tmp_path, how, name):
    expected = net()
    path = write(expected, tmp_path / name, legacy=name == "legacy.pth")
    model = load(how, path)
    assert str(path) not in mapped_files()
    path.write_bytes(b"")  # with a mapped file, the next access would end the process
    for key, value in model.state_dict().items():
        assert torch.equal(value, expected.state_dict()[key]), key


def test_optimizer_state_survives_overwriting_the_file_it_came_from(tmp_path):
    code = """
        import sys, torch, brickwork_zoo as zoo
        model, path = torch.nn.Linear(300, 300), sys.argv[1]
        optimizer = torch.optim.Adam(model.parameters())
        def step():
            model(torch.ones(1, 300)).sum().backward()
            optimizer.step()
        def save():
            states = {"state_dict": model.state_dict(), "optimizer": optimizer.state_dict()}
            torch.save(states, path)
        step()
        save()
        checkpoint = zoo.load_checkpoint(model, path)
        optimizer.load_state_dict(checkpoint["optimizer"])
        step()
        save()
        print(torch.load(path)["optimizer"]["state"][0]["step"].item())
    """
    assert run_python("-c", textwrap.dedent(code), str(tmp_path / "latest.pth")).strip() == "2.0"


@pytest.fixture
def cached(site):
    """Return a network, and the path of its checkpoint in the cache."""
    model = net()
    path = write(model, Path(os.environ["BRICKWORK_HOME"]).parent / "served.pth")
    return model, zoo.download(site.url("/net.pth", path.read_bytes()))


@pytest.mark.parametrize("how", HOW)
def test_file_of_the_cache_is_mapped_and_not_written_to(cached, how):
    expected, path = cached
    before = path.read_bytes()
    model = load(how, path)
    with torch.no_grad():
        for parameter, same in zip(model.parameters(), expected.parameters(), strict=True):
            assert torch.equal(parameter, same)
            parameter.zero_()
    assert path.read_bytes() == before
    assert (str(path) in mapped_files()) == (how == "load_model")


def test_link_in_the_cache_to_a_file_elsewhere_is_not_mapped(cached, tmp_path):
    _, path = cached
    mine = shutil.copy(path, tmp_path / "mine.pth")
    link = path.with_name("link.pth")
    link.symlink_to(mine)
    zoo.load_model(net, link)
    assert not {str(link), str(mine)} & mapped_files()


@pytest.mark.parametrize("mmap", [True, False])
def test_mmap_option_maps_or_reads_any_file(tmp_path, cached, mmap):
    _, in_cache = cached
    own = shutil.copy(in_cache, tmp_path / "own.pth")
    for path in (in_cache, Path(own)):
        model = zoo.load_model(net, path, mmap=mmap)
        assert (str(path) in mapped_files()) == mmap
        del model
    checkpoint = zoo.read_checkpoint(own, mmap=mmap)
    assert (str(own) in mapped_files()) == mmap
    del checkpoint


def test_returned_checkpoint_shares_no_memory_with_a_deferred_model(tmp_path):
    path = write(net(), tmp_path / "x.pth")
    with deferred():
        model = net()
    checkpoint = zoo.load_checkpoint(model, path, strict=True)
    with torch.no_grad():
        model[0].weight.zero_()
    assert checkpoint["state_dict"]["0.weight"].abs().sum() > 0
    with deferred():
        model = net()
    state = net().state_dict()
    zoo.load_state_dict(model, state)
    assert model[0].weight.data_ptr() != state["0.weight"].data_ptr()


def test_return_weights_false_returns_shapes_and_all_other_entries(tmp_path):
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    zoo.save_checkpoint(model, tmp_path / "x.pth", optimizer, {"epoch": 3})
    checkpoint = zoo.load_checkpoint(net(), tmp_path / "x.pth", return_weights=False)
    (tmp_path / "x.pth").write_bytes(b"")
    for key, value in checkpoint["state_dict"].items():
        assert value.is_meta
        assert value.shape == model.state_dict()[key].shape
    assert checkpoint["meta"]["epoch"] == 3
    state = checkpoint["optimizer"]["state"]
    for number, parameter in enumerate(model.parameters()):
        momentum = optimizer.state[parameter]["momentum_buffer"]
        assert torch.equal(state[number]["momentum_buffer"], momentum)


def test_two_keys_that_share_memory_in_a_mapped_file_do_not_tie_the_model(tmp_path):
    weight = torch.randn(3, 3)
    torch.save({"0.weight": weight, "1.weight": weight}, tmp_path / "x.pth")

    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))

    for mmap in (True, False):
        model = zoo.load_model(build, tmp_path / "x.pth", mmap=mmap)
        with torch.no_grad():
            model[0].weight.zero_()
        assert torch.equal(model[1].weight, weight)


# -- reading straight into the model ---------------------------------------------------------------


def layouts() -> dict[str, torch.Tensor]:
    base = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
    return {
        "plain": base,
        "channels last": base.to(memory_format=torch.channels_last),
        "transposed": base.transpose(0, 3),
        "part": base[:, 1:, ::2],
        "expanded": base[:1, :1].expand(2, 3, 4, 5),
        "number": torch.tensor(3.5),
        "empty": torch.empty(0, 3),
        "half": base.half(),
    }


@pytest.mark.parametrize("name", layouts())
@pytest.mark.parametrize("buffer", [2**24, 64])  # 64 bytes: a few elements
@pytest.mark.parametrize(
    "target",
    [
        torch.zeros_like,
        lambda t: torch.zeros(t.shape),
        lambda t: torch.zeros(t.shape, dtype=torch.float64),
        lambda t: torch.zeros(*t.shape, 2)[..., 1],
    ],
    ids=["same layout", "row-major", "double", "strided"],
)
@pytest.mark.parametrize("legacy", [False, True])
def test_lazy_tensor_reads_into_any_tensor(tmp_path, monkeypatch, name, buffer, target, legacy):
    monkeypatch.setattr(_read_tensor, "BUFFER_BYTES", buffer)
    source = layouts()[name]
    torch.save({"x": source}, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
    lazy = read_path(tmp_path / "x.pth", access="lazy")["x"]
    into = target(source)
    lazy.slice()(into)
    assert torch.equal(into, source.to(into.dtype))
    assert torch.equal(lazy.read(), source)
    for dim in range(source.ndim):
        if source.shape[dim] < 2:
            continue
        start, length = [0] * source.ndim, list(source.shape)
        start[dim], length[dim] = 1, source.shape[dim] - 1
        part = source.narrow(dim, 1, length[dim])
        into = torch.zeros(length, dtype=source.dtype)
        lazy.slice((start, length))(into)
        assert torch.equal(into, part)


def test_big_endian_file_is_swapped_while_it_is_read(tmp_path):
    state = {"weight": torch.randn(2, 3), "bias": torch.randn(2)}
    torch.save(state, tmp_path / "x.pth")
    swapped = {key: value.numpy().byteswap() for key, value in state.items()}
    with (
        zipfile.ZipFile(tmp_path / "x.pth") as old,
        zipfile.ZipFile(tmp_path / "big.pth", "w") as new,
    ):
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("byteorder"):
                data = b"big"
            for number, key in enumerate(state):
                if info.filename.endswith(f"data/{number}"):
                    data = swapped[key].tobytes()
            new.writestr(info.filename, data)
    for access in (
        lambda path: zoo.read_checkpoint(path),
        lambda path: zoo.read_checkpoint(path, mmap=True),
        lambda path: zoo.load_model(lambda: nn.Linear(3, 2), path).state_dict(),
    ):
        loaded = access(tmp_path / "big.pth")
        assert all(torch.equal(loaded[key], value) for key, value in state.items())


def test_shard_reads_only_its_own_bytes(tmp_path, monkeypatch):
    torch.save({"x": torch.randn(64, 4096)}, tmp_path / "x.pth")
    counts: list[int] = []
    read_into = DataFile.read_into

    def counted(self, buffer, start):
        counts.append(len(buffer))
        read_into(self, buffer, start)

    lazy = read_path(tmp_path / "x.pth", access="lazy")["x"]
    monkeypatch.setattr(DataFile, "read_into", counted)
    for box in (([16, 0], [16, 4096]), ([0, 2048], [64, 1024])):  # some rows, some columns
        counts.clear()
        lazy.slice(box)(torch.empty(box[1]))
        assert sum(counts) == 64 * 4096 * 4 // 4


def test_tensors_are_read_in_the_order_of_the_file(tmp_path, monkeypatch):
    tensors = {f"t{number}": torch.randn(50) for number in range(12)}
    torch.save(tensors, tmp_path / "x.pth")
    model = nn.Module()
    for name in reversed(tensors):
        model.register_buffer(name, torch.zeros(50))
    starts: list[int] = []
    apply_plan, read_into = _load_state_dict.apply_plan, DataFile.read_into

    def recorded(self, buffer, start):
        starts.append(start)
        read_into(self, buffer, start)

    def apply_recorded(*args):
        monkeypatch.setattr(DataFile, "read_into", recorded)
        apply_plan(*args)

    monkeypatch.setattr(_load_state_dict, "apply_plan", apply_recorded)
    zoo.load_checkpoint(model, tmp_path / "x.pth", strict=True, return_weights=False)
    assert len(starts) == len(tensors)
    assert starts == sorted(starts)


def test_file_truncated_during_loading_raises_partly_loaded_error(tmp_path, monkeypatch):
    path = write(net(), tmp_path / "x.pth")
    model = net()
    apply_plan = _load_state_dict.apply_plan

    def shrink_first(*args):
        os.truncate(path, 2000)
        apply_plan(*args)

    monkeypatch.setattr(_load_state_dict, "apply_plan", shrink_first)
    with pytest.raises(CheckpointError, match=r"ends at byte \d+.*partly loaded"):
        zoo.load_checkpoint(model, path, return_weights=False)


def test_replaced_file_does_not_mix_with_the_one_that_was_opened(tmp_path, monkeypatch):
    old, new = net(), net()
    path = write(old, tmp_path / "x.pth")
    apply_plan = _load_state_dict.apply_plan

    def replace_first(*args):
        write(new, tmp_path / "y.pth").replace(path)
        apply_plan(*args)

    monkeypatch.setattr(_load_state_dict, "apply_plan", replace_first)
    model = net()
    zoo.load_checkpoint(model, path, return_weights=False)
    assert torch.equal(model[0].weight, old[0].weight)


def test_reading_into_a_parameter_counts_as_a_change_for_autograd(tmp_path):
    model = nn.Linear(2, 2)
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "x.pth")
    output = (model(torch.ones(1, 2)) * model.weight.sum()).sum()
    output = output + (model.weight**2).sum()
    zoo.load_checkpoint(model, tmp_path / "x.pth", return_weights=False)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        output.backward()


PEAK = """
import gc, json, sys, torch, brickwork_zoo as zoo
import brickwork_zoo._load._load_model
from torch import nn
from pathlib import Path

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024

def build():
    return nn.Sequential(*(nn.Linear(2048, 2048) for _ in range(6)))

how, path = sys.argv[1:]
model = None if how == "load_model" else build()
if model is not None:
    for parameter in model.parameters():
        parameter.data.zero_()  # its memory is there before
zoo.load_model(lambda: nn.Linear(1, 1), Path(path).with_name("small.pth"))  # imports are done
before = peak()
if how == "load_model":
    model = zoo.load_model(build, path)
elif how == "pretrained":
    zoo.PretrainedInit(path)(model)
else:
    zoo.load_checkpoint(model, path, return_weights=how == "load_checkpoint")
print(json.dumps(peak() - before))
"""


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize(
    ("how", "least", "most"),
    [
        ("load_model", 0.9, 1.05),
        ("pretrained", 0.0, 0.05),
        ("without weights", 0.0, 0.05),
        ("load_checkpoint", 0.9, 1.1),
    ],
)
def test_peak_memory_is_that_of_the_model(tmp_path, how, least, most, suffix):
    model = nn.Sequential(*(nn.Linear(2048, 2048) for _ in range(6)))
    size = sum(p.nbytes for p in model.parameters())
    path = write(model, tmp_path / f"x{suffix}")
    torch.save(nn.Linear(1, 1).state_dict(), tmp_path / "small.pth")
    increase = json.loads(run_python("-c", PEAK, how, str(path)))
    assert least * size <= increase <= most * size
