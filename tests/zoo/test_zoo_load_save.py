"""Saving, converting and inspecting checkpoints."""

from __future__ import annotations

import subprocess
import sys

import brickwork_zoo as zoo
import pytest
import torch
from brickwork_zoo.errors import CacheError, CheckpointError, InvalidInputError
from safetensors.torch import load_file
from torch import nn


def net():
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def test_saved_checkpoint_has_the_entries_of_mmcv(tmp_path):
    model = net()
    model.CLASSES = ("cat", "dog")
    optimizer = torch.optim.Adam(model.parameters())
    meta = {"epoch": 3}
    zoo.save_checkpoint(model, str(tmp_path / "a" / "x.pth"), optimizer, meta)
    assert meta == {"epoch": 3}
    content = torch.load(tmp_path / "a" / "x.pth", weights_only=True)
    assert content["meta"]["epoch"] == 3
    assert tuple(content["meta"]["CLASSES"]) == ("cat", "dog")
    assert "time" in content["meta"]
    assert equal(content["state_dict"], model.state_dict())
    assert content["state_dict"]._metadata["1"]["version"] == 2
    assert content["optimizer"].keys() == optimizer.state_dict().keys()
    assert [p.name for p in (tmp_path / "a").iterdir()] == ["x.pth"]


def test_several_optimizers_are_saved_by_name(tmp_path):
    model = net()
    optimizers = {"a": torch.optim.SGD(model.parameters(), 0.1)}
    zoo.save_checkpoint(nn.DataParallel(model), tmp_path / "x.pth", optimizers)
    content = torch.load(tmp_path / "x.pth", weights_only=True)
    assert list(content["optimizer"]) == ["a"]
    assert equal(content["state_dict"], model.state_dict())


def test_safetensors_suffix_writes_that_format(tmp_path):
    model = net()
    model.again = model[0]
    zoo.save_checkpoint(model, tmp_path / "x.safetensors", meta={"epoch": 3})
    assert equal(load_file(tmp_path / "x.safetensors"), model.state_dict())
    with pytest.raises(InvalidInputError, match="optimizer"):
        zoo.save_checkpoint(
            model, tmp_path / "x.safetensors", torch.optim.SGD(model.parameters(), 0.1)
        )


def test_file_url_is_saved_to_and_loaded_from(tmp_path):
    path = tmp_path / "a b, ä%20.pth"
    saved, loaded = net(), net()
    zoo.save_checkpoint(saved, path.as_uri())
    assert list(tmp_path.iterdir()) == [path]
    zoo.load_checkpoint(loaded, path.as_uri(), strict=True)
    assert equal(loaded.state_dict(), saved.state_dict())
    with pytest.raises(InvalidInputError, match="three slashes"):
        zoo.save_checkpoint(saved, "file://x.pth")


def test_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pth"
    zoo.save_checkpoint(net(), path)
    before = path.read_bytes()
    with pytest.raises(Exception, match="pickle"):
        zoo.save_checkpoint(net(), path, meta={"bad": lambda: None})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


KILLED = """
import itertools, os, signal, sys, warnings, brickwork_zoo
from pathlib import Path
from torch import nn
import torch.distributed.checkpoint.state_dict

warnings.simplefilter("ignore")
path = Path(sys.argv[1])

def save(meta):
    brickwork_zoo.save_checkpoint(nn.Linear(2, 3), path, meta=meta)

def die_at(count):
    steps = itertools.count(1)
    def counted(function):
        def call(*args, **options):
            if next(steps) == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **options)
        return call
    for name in ("fsync", "rename", "replace", "open", "mkdir"):
        setattr(os, name, counted(getattr(os, name)))

replaces = path.suffix == ".pth"
if replaces:
    save({})
for count in itertools.count(1):
    child = os.fork()
    if not child:
        die_at(count)
        save({"new": True})
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    new = path.exists() and "new" in brickwork_zoo.load_checkpoint(
        nn.Linear(2, 3), path, strict=True
    )["meta"]
    assert path.exists() or not replaces
    if code == 0:
        break
    assert code == -signal.SIGKILL
    assert not new
assert new
print(count)
"""


@pytest.mark.parametrize("ending", ["pth", "dcp"])
def test_process_killed_while_saving_leaves_the_old_or_the_new_file(tmp_path, ending):
    command = [sys.executable, "-c", KILLED, str(tmp_path / f"x.{ending}")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 2


def test_folder_of_shards_keeps_optimizer_and_meta(tmp_path):
    model, again = net(), net()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 2)).sum().backward()
    optimizer.step()
    zoo.save_checkpoint(nn.DataParallel(model), tmp_path / "x.dcp", {"a": optimizer}, {"epoch": 3})
    checkpoint = zoo.load_checkpoint(again, tmp_path / "x.dcp", strict=True)
    assert equal(again.state_dict(), model.state_dict())
    assert checkpoint["meta"]["epoch"] == 3
    moments = checkpoint["optimizer"]["a"]["state"]["0.weight"]["exp_avg"]
    assert torch.equal(moments + 0, optimizer.state[model[0].weight]["exp_avg"])
    with pytest.raises(InvalidInputError, match="exists"):
        zoo.save_checkpoint(model, tmp_path / "x.dcp")
    with pytest.raises(InvalidInputError, match="to a path"):
        zoo.save_checkpoint(model, "memory://x.dcp")
    assert [path.name for path in tmp_path.iterdir()] == ["x.dcp"]


def test_invalid_arguments_of_save_checkpoint_raise(tmp_path):
    with pytest.raises(TypeError, match="meta"):
        zoo.save_checkpoint(net(), tmp_path / "x.pth", meta=[1])
    with pytest.raises(InvalidInputError, match="file_client_args"):
        zoo.save_checkpoint(net(), tmp_path / "x.pth", None, None, {"backend": "ceph"})
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match="cannot write"):
        zoo.save_checkpoint(net(), tmp_path / "file" / "x.pth")


def test_fsspec_url_is_written():
    fsspec = pytest.importorskip("fsspec")
    model = net()
    zoo.save_checkpoint(model, "Memory://saved/x.pth")  # a scheme may be written in any case
    with fsspec.open("memory://saved/x.pth", "rb") as file:
        assert equal(torch.load(file, weights_only=True)["state_dict"], model.state_dict())


@pytest.mark.parametrize("ending", ["safetensors", "pth"])
def test_convert_keeps_only_weights(tmp_path, ending):
    model = net()
    state = {f"backbone.{key}": value for key, value in model.state_dict().items()}
    torch.save({"state_dict": state, "meta": {"x": 1}}, tmp_path / "x.pth")
    path = zoo.convert(tmp_path / "x.pth", tmp_path / f"y.{ending}", prefix="backbone")
    assert path == tmp_path / f"y.{ending}"
    loaded = net()
    zoo.load_checkpoint(loaded, path, strict=True)
    assert equal(loaded.state_dict(), model.state_dict())
    with pytest.raises(InvalidInputError, match="must end with"):
        zoo.convert(tmp_path / "x.pth", tmp_path / "y.txt")
    torch.save({"a": torch.ones(1), "b": 3}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="not tensors"):
        zoo.convert(tmp_path / "odd.pth", tmp_path / "z.safetensors")


def test_inspect_works_without_torch(tmp_path):
    torch.save(
        {"state_dict": {"a": torch.ones(2, 3, dtype=torch.half)}, "n": 3}, tmp_path / "x.pth"
    )
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['numpy'] = None\n"
        "from brickwork_zoo import inspect\n"
        f"content = inspect({str(tmp_path / 'x.pth')!r})\n"
        "(t,) = content.tensors\n"
        "print(t.key, t.shape, t.dtype, t.nbytes, content.format, content.other, content.unsafe)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split("\n")[0] == ("state_dict/a (2, 3) float16 12 zip {'n': '3'} ()")


def test_get_state_dict_leaves_wrappers_out_of_names():
    model = nn.DataParallel(net())
    state = zoo.get_state_dict(model, prefix="a.")
    assert equal(state, {f"a.{k}": v for k, v in model.module.state_dict().items()})
    moved = zoo.weights_to_cpu(state)
    assert equal(moved, state)
    assert moved._metadata is state._metadata


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_saving_to_a_url_invalidates_the_cache(ending):
    pytest.importorskip("fsspec")
    for _ in range(2):  # the second time the cache holds the first
        model, again = net(), net()
        zoo.save_checkpoint(model, f"memory://latest/x.{ending}")
        zoo.load_checkpoint(again, f"memory://latest/x.{ending}", strict=True)
        assert equal(again.state_dict(), model.state_dict())


def test_convert_refuses_what_it_cannot_write(tmp_path):
    torch.save({"w": torch.ones(1).expand(2**45)}, tmp_path / "x.pth")
    with pytest.raises(InvalidInputError, match=r"y\.safetensors.*'w'"):
        zoo.convert(tmp_path / "x.pth", tmp_path / "y.safetensors")
    torch.save({"w": torch.ones(1)}, tmp_path / "x.pth")
    with pytest.raises(InvalidInputError, match="must be a path"):
        zoo.convert(tmp_path / "x.pth", "memory://y.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["x.pth"]


@pytest.mark.filterwarnings("ignore")  # torch deprecates quantization
def test_quantized_tensors_are_read_by_torch(tmp_path):
    tensor = torch.quantize_per_tensor(torch.ones(2), 0.5, 0, torch.qint8)
    torch.save({"q": tensor, "w": torch.ones(1)}, tmp_path / "x.pth")
    content = zoo.read_checkpoint(tmp_path / "x.pth")
    assert torch.equal(content["q"].dequantize(), torch.ones(2))
    assert "torch.QInt8Storage" in zoo.inspect(tmp_path / "x.pth").unsafe
