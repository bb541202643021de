"""Reading pickles without running code: malicious files, and files of real training runs."""

from __future__ import annotations

import argparse
import builtins
import collections
import contextlib
import datetime
import decimal
import fractions
import io
import os
import pathlib
import pickle
import pickletools
import sys
import types
import zipfile

import numpy as np
import pytest
import torch
from brickwork_zoo import inspect, load_checkpoint
from brickwork_zoo._formats._read_path import read_path
from brickwork_zoo.errors import CheckpointError, MismatchError, UnsafeCheckpointError
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn


class Call:
    """Object that pickles as a call of a function."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


def write_pickle(path, data: bytes):
    """Write a file in torch's zip format with a custom pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
    return path


@pytest.fixture
def trap(tmp_path):
    """Return a path that a malicious pickle tries to create; check that it does not exist."""
    path = tmp_path / "trapped"
    yield path
    assert not path.exists()


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda trap: Call(os.system, f"touch {trap}"),
        lambda trap: Call(eval, f"open({str(trap)!r}, 'w')"),
        lambda trap: Call(exec, f"open({str(trap)!r}, 'w')"),
        lambda trap: Call(getattr, Call(__import__, "os"), "system"),
        lambda trap: Call(builtins.open, str(trap), "w"),
        lambda trap: Call(pathlib.Path.touch, pathlib.Path(trap)),
        lambda trap: Call(collections.OrderedDict.fromkeys, Call(os.mkdir, str(trap))),
    ],
)
def test_call_in_a_pickle_is_refused_and_not_made(tmp_path, trap, make, legacy):
    path = tmp_path / "evil.pth"
    torch.save(
        {"state_dict": {"weight": torch.ones(2)}, "evil": make(trap)},
        path,
        _use_new_zipfile_serialization=not legacy,
    )
    model = nn.Linear(1, 2)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(UnsafeCheckpointError) as caught:
        load_checkpoint(model, path)
    assert caught.value.globals
    assert str(path) in str(caught.value)
    assert all(name in str(caught.value) for name in caught.value.globals)
    assert "weights_only=False" in str(caught.value)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    assert set(caught.value.globals) <= set(inspect(path).unsafe)


def test_inspect_lists_os_system_as_unsafe(tmp_path, trap):
    torch.save({"x": Call(os.system, f"touch {trap}")}, tmp_path / "evil.pth")
    assert inspect(tmp_path / "evil.pth").unsafe == (f"{os.system.__module__}.system",)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_unknown_names_are_found_in_each_pickle_protocol(tmp_path, protocol):
    data = pickle.dumps({"a": Call(os.system, "true")}, protocol=protocol)
    path = write_pickle(tmp_path / "evil.pth", data)
    with pytest.raises(CheckpointError, match="system"):
        read_path(path)


@pytest.mark.parametrize(
    "program",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",  # INST
        b"(cos\nsystem\nS'true'\no.",  # OBJ
        b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",  # STACK_GLOBAL
        b"\x8c\x06system\x94\x8c\x02os\x94h\x00h\x01\x93\x8c\x04true\x85R.",  # names from the memo
        b"\x82\x01.",  # an extension code
        b"Pfoo\n.",  # a persistent id as text
    ],
)
def test_no_pickle_instruction_calls_a_name(tmp_path, monkeypatch, program):
    monkeypatch.setattr(os, "system", lambda *_: pytest.fail("ran"))
    with pytest.raises(CheckpointError):
        read_path(write_pickle(tmp_path / "evil.pth", program))


@pytest.mark.parametrize(
    "program",
    [
        # attributes of a name on the allow-list cannot be set or read
        b"cargparse\nNamespace\n}(S'__init__'\nK\x01ub.",
        b"ccollections\nOrderedDict\n(N}(S'fromkeys'\nK\x01utb.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(N}(S'__code__'\nK\x01utb.",
        b"cbuiltins\nbytearray\n(J\xff\xff\xff\x7ftR.",  # 2 GB of zeros
        b"cnumpy\ndtype\n(S'O8'\nI00\nI01\ntR(K\x03S'|'\nNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb.",
        b"(lp0\n0h\x00.",
        b".",
        b"(.",
        b"0.",
        b"h\x07.",
        b"](K\x01e",
        b"}]N\x73.",  # a list as a key
        b"\x80\x63.",
    ],
)
def test_invalid_pickle_is_an_error(tmp_path, program):
    with pytest.raises(CheckpointError, match="evil"):
        load_checkpoint(nn.Linear(1, 1), write_pickle(tmp_path / "evil.pth", program))
    assert argparse.Namespace().__dict__ == {}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_random_pickle_loads_or_raises(data):
    from brickwork_zoo._formats._safe_pickle._allow_list import ALLOWED, state_setters
    from brickwork_zoo._formats._safe_pickle._opaque_object import BrokenPickleError
    from brickwork_zoo._formats._safe_pickle._unpickler import SafeUnpickler

    with contextlib.suppress(BrokenPickleError):
        SafeUnpickler(ALLOWED, set_state=state_setters()).load(io.BytesIO(data))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_damaged_checkpoint_loads_or_raises(tmp_path_factory, data):
    buffer = io.BytesIO()
    torch.save({"state_dict": nn.Linear(2, 2).state_dict(), "epoch": 3}, buffer)
    raw = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzz") / "x.pth"
    path.write_bytes(raw[: data.draw(st.integers(0, len(raw)))])
    how = data.draw(st.sampled_from([{}, {"mmap": True}, {"return_weights": False}]))
    with contextlib.suppress(CheckpointError, MismatchError):
        load_checkpoint(nn.Linear(2, 2), path, logger="silent", **how)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(), inner, max_size=4)
        | st.sets(st.integers(), max_size=3)
        | st.frozensets(st.text(), max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(plain, st.integers(0, 5))
def test_plain_data_equals_that_of_pickle(value, protocol):
    from brickwork_zoo._formats._safe_pickle._allow_list import ALLOWED, state_setters
    from brickwork_zoo._formats._safe_pickle._unpickler import SafeUnpickler

    data = pickle.dumps(value, protocol=protocol)
    assert SafeUnpickler(ALLOWED, set_state=state_setters()).load(io.BytesIO(data)) == pickle.loads(
        data
    )


META = {
    "scalar": np.float64(0.25),
    "half": np.float16(1.5),
    "flag": np.bool_(True),
    "array": np.arange(6, dtype=np.int32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big": np.arange(3, dtype=">f4"),
    "text": np.array(["a", "bc"]),
    "date": np.datetime64("2021-03-04"),
    "dates": np.array(["2021-03-04T05", "2022-01-01T00"], dtype="datetime64[h]"),
    "exact": decimal.Decimal("1e5"),
    "third": fractions.Fraction(1, 3),
    "when": datetime.datetime(2021, 3, 4, 5, 6, 7, 8),
    "zone": datetime.datetime(2021, 3, 4, tzinfo=datetime.UTC),
    "day": datetime.date(2021, 3, 4),
    "span": datetime.timedelta(days=2, seconds=3),
    "args": argparse.Namespace(lr=0.1, layers=[1, 2], nested=argparse.Namespace(x=1)),
    "counts": collections.Counter("abca"),
    "groups": collections.defaultdict(list, {"a": [1]}),
    "bytes": b"\x00\xff",
    "complex": 1 + 2j,
    "set": {1, 2},
}


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_meta_of_training_runs_loads_as_data(tmp_path, protocol, legacy):
    path = tmp_path / "run.pth"
    torch.save(
        {"meta": META, "state_dict": nn.Linear(2, 2).state_dict()},
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=not legacy,
    )
    meta = load_checkpoint(nn.Linear(2, 2), path, strict=True)["meta"]
    assert meta.keys() == META.keys()
    for key, value in META.items():
        if isinstance(value, np.generic | np.ndarray):
            assert type(meta[key]) is type(value)
            np.testing.assert_array_equal(meta[key], value)
        else:
            assert meta[key] == value, key
    assert inspect(path).unsafe == ()


@pytest.mark.parametrize("protocol", [2, 4])
def test_paths_load_as_pure_paths(tmp_path, protocol):
    torch.save({"p": pathlib.Path("a/b")}, tmp_path / "x.pth", pickle_protocol=protocol)
    assert read_path(tmp_path / "x.pth")["p"] == pathlib.PurePath("a/b")


@pytest.fixture
def library_classes():
    """Return classes like those of libraries that are missing when the file is read."""

    class ConfigDict(dict):
        def __getnewargs__(self):  # as in addict.Dict, the base class in mmcv
            return tuple(self.items())

        def __getstate__(self):
            return self

        def __setstate__(self, state):
            raise AssertionError("ran")

    class HistoryBuffer:
        def __init__(self):
            self._log_history = np.ones(3)

        def min(self):
            raise AssertionError("ran")

        def __getstate__(self):
            return {**self.__dict__, "statistics_methods": {"min": HistoryBuffer.min}}

        def __setstate__(self, state):
            raise AssertionError("ran")

    made = {}
    for kind, name in (
        (ConfigDict, "mmcv.utils.config"),
        (HistoryBuffer, "mmengine.logging.history_buffer"),
    ):
        kind.__module__, kind.__qualname__ = name, kind.__name__
        for method in vars(kind).values():
            if isinstance(method, types.FunctionType):
                method.__module__ = name
                method.__qualname__ = f"{kind.__name__}.{method.__name__}"
        for depth in range(1, name.count(".") + 2):
            part = ".".join(name.split(".")[:depth])
            made.setdefault(part, types.ModuleType(part))
        setattr(made[name], kind.__name__, kind)
    sys.modules.update(made)
    yield ConfigDict, HistoryBuffer
    for name in made:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("protocol", [2, 4])
def test_objects_of_missing_libraries_load_as_data(tmp_path, library_classes, protocol):
    config_dict, history_buffer = library_classes
    cfg = config_dict(model=config_dict(type="ResNet", depth=50), lr=0.1)
    path = tmp_path / "run.pth"
    torch.save(
        {"meta": {"cfg": cfg}, "hub": {"loss": history_buffer()}, "state_dict": {}},
        path,
        pickle_protocol=protocol,
    )
    for present in (True, False):
        if not present:
            for name in [n for n in sys.modules if n.partition(".")[0] in ("mmcv", "mmengine")]:
                del sys.modules[name]
        content = read_path(path)
        assert content["meta"]["cfg"] == {"model": {"type": "ResNet", "depth": 50}, "lr": 0.1}
        assert type(content["meta"]["cfg"]) is dict
        buffer = content["hub"]["loss"]
        assert buffer.type_name == "mmengine.logging.history_buffer.HistoryBuffer"
        np.testing.assert_array_equal(buffer.state["_log_history"], np.ones(3))
        assert "HistoryBuffer" in repr(buffer)


def test_numpy_values_load_without_numpy(tmp_path, monkeypatch):
    values = {"x": np.float32(0.5), "y": np.arange(3), "z": np.datetime64("2021-03-04")}
    torch.save(values, tmp_path / "x.pth")
    monkeypatch.setitem(sys.modules, "numpy", None)
    content = read_path(tmp_path / "x.pth")
    assert content["x"] == 0.5
    assert content["y"].type_name == "numpy.ndarray"
    assert content["z"].args[0] == "M8[1D]"


def test_sparse_tensors_are_read_by_torch(tmp_path):
    tensor = torch.sparse_coo_tensor([[0, 1]], [1.0, 2.0], (3,), check_invariants=True)
    torch.save({"x": tensor, "y": torch.ones(2)}, tmp_path / "x.pth")
    content = read_path(tmp_path / "x.pth")
    assert torch.equal(content["x"].to_dense(), torch.tensor([1.0, 2.0, 0.0]))


def test_names_in_torch_safe_globals_are_loaded(tmp_path):
    torch.save({"x": Allowed()}, tmp_path / "x.pth")
    with pytest.raises(UnsafeCheckpointError):
        read_path(tmp_path / "x.pth")
    with torch.serialization.safe_globals([Allowed]):
        assert isinstance(read_path(tmp_path / "x.pth")["x"], Allowed)


class Allowed:
    """User-defined class."""


def test_weights_only_false_runs_code(tmp_path):
    torch.save(
        {"state_dict": nn.Linear(1, 1).state_dict(), "x": Call(len, "abc")}, tmp_path / "x.pth"
    )
    with pytest.raises(UnsafeCheckpointError, match=r"builtins\.len"):
        load_checkpoint(nn.Linear(1, 1), tmp_path / "x.pth")
    content = load_checkpoint(nn.Linear(1, 1), tmp_path / "x.pth", weights_only=False)
    assert content["x"] == 3


def test_only_instructions_that_data_needs_are_implemented():
    from brickwork_zoo._formats._safe_pickle._unpickler import _ACTIONS

    names = {opcode.name for opcode in pickletools.opcodes}
    assert names - set(_ACTIONS) == {
        *("INST", "OBJ", "PERSID", "EXT1", "EXT2", "EXT4"),
        *("NEXT_BUFFER", "READONLY_BUFFER"),
    }


def pickle_of(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


LAUGHS = b")q\x000" + b"h\x00h\x00\x86q\x000" * 200 + b"h\x00"  # pairs of pairs: 2**200
NUMBER = b"\x8c\x09fractions\x8c\x08Fraction\x93"


@pytest.mark.parametrize(
    "program",
    [
        b"}" + LAUGHS + b"Ns",  # as a key
        b"\x8f(" + LAUGHS + b"\x90",  # in a set
        b"(" + LAUGHS + b"\x91",  # in a frozenset
        b"(" + LAUGHS + b"Nd",
        b"\x8c\x08builtins\x8c\x03set\x93](" + LAUGHS + b"e\x85R",
        b"\x8c\x0bcollections\x8c\x0bOrderedDict\x93](" + LAUGHS + b"N\x86e\x85R",
        b"\x8c\x0bcollections\x8c\x07Counter\x93](" + LAUGHS + b"N\x86e\x85R",
        LAUGHS + b"Q",  # as a storage's name
        b"(\x8c\x07storage\x8c\x05torch\x8c\x0cFloatStorage\x93" + LAUGHS + b"\x8c\x03cpuK\x01tQ",
        b"\x8c\x05numpy\x8c\x05dtype\x93" + LAUGHS + b"\x85R",
        b"\x8c\x07_codecs\x8c\x06encode\x93\x8c\x01a" + LAUGHS + b"\x86R",
        NUMBER + b"\x8c\x0b1e999999999\x85R",  # a fraction that would be written out
        b"B\xff\xff\xff\xff",  # more bytes than there are
        b"\x8e" + b"\xff" * 7 + b"\x0f",
        b"\x8b\xff\xff\xff\x7f",
        b"r\xff\xff\xff\xff" * 3,
    ],
)
def test_pickle_cannot_take_unbounded_time_or_memory(tmp_path, program):
    path = write_pickle(tmp_path / "evil.pth", pickle_of(program))
    with pytest.raises(CheckpointError, match="evil"):
        read_path(path)
    with pytest.raises(CheckpointError, match="evil"):
        inspect(path)


def test_deep_and_cyclic_containers_load(tmp_path):
    deep = write_pickle(tmp_path / "deep.pth", pickle_of(b"]" * 100_000 + b"a" * 99_999))
    assert isinstance(read_path(deep), list)
    assert inspect(deep).tensors == ()
    with pytest.raises(CheckpointError, match="deep"):
        load_checkpoint(nn.Linear(1, 1), deep)
    cycle = write_pickle(tmp_path / "cycle.pth", pickle_of(b"}q\x00\x8c\x01ah\x00s"))
    assert inspect(cycle).tensors == ()
    with pytest.raises(CheckpointError, match="cycle"):
        load_checkpoint(nn.Linear(1, 1), cycle)


TENSOR = b"\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93"
STORAGE = b"(\x8c\x07storage\x8c\x05torch\x8c\x0cFloatStorage\x93\x8c\x010\x8c\x03cpuK%ctQ"


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("count", "numbers"),
    [
        (b"\x04", b"K\x00K\x05\x85K\x01\x85"),  # longer than its storage
        (b"\x04", b"K\x01K\x04\x85K\x01\x85"),  # begins too late
        (b"\x04", b"J\xff\xff\xff\xffK\x02\x85K\x01\x85"),  # before its storage
        (b"\x04", b"K\x00K\x02\x85J\xff\xff\xff\xff\x85"),  # a negative stride
        (b"\x04", b"K\x00J\xff\xff\xff\xff\x85K\x01\x85"),  # a negative size
        (b"\x04", b"K\x00K\x02\x85K\x09\x85"),  # a stride that leaves its storage
        (b"\x04", b"K\x00K\x02\x85)"),  # fewer strides than dimensions
        (b"\x04", b"K\x00(" + b"K\x01" * 70 + b"t(" + b"K\x01" * 70 + b"t"),
        (b"\x04", b"K\x00\x8a\x09" + b"\xff" * 8 + b"\x00\x85K\x00\x85"),
        (b"\xff", b"K\x00K\x02\x85K\x01\x85"),  # a storage longer than the file
        (b"\x05", b"K\x00K\x02\x85K\x01\x85"),  # than its record
    ],
)
def test_tensor_outside_its_storage_is_an_error(tmp_path, legacy, count, numbers):
    storage = STORAGE.replace(b"%c", count)
    body = b"}\x8c\x06weight" + TENSOR + b"(" + storage + numbers + b"\x89}tRs"
    path = tmp_path / "evil.pth"
    if legacy:
        head = io.BytesIO()
        torch.save({}, head, _use_new_zipfile_serialization=False)
        head.seek(0)
        for _ in range(3):
            pickle.load(head)
        data = b"\x04" + bytes(7) + bytes(16)  # the number of elements, then the elements
        start = head.getvalue()[: head.tell()]
        path.write_bytes(start + pickle_of(body) + pickle.dumps(["0"]) + data)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/data.pkl", pickle_of(body))
            archive.writestr("a/data/0", bytes(16))
    with pytest.raises(CheckpointError, match="evil"):
        read_path(path)


def test_storages_larger_than_a_legacy_file_are_an_error(tmp_path):
    torch.save({}, tmp_path / "x.pth", _use_new_zipfile_serialization=False)
    head = io.BytesIO((tmp_path / "x.pth").read_bytes())
    for _ in range(3):
        pickle.load(head)
    keys = [b"\x8c\x01" + bytes([n]) for n in range(65, 90)]
    storages = [STORAGE.replace(b"\x8c\x010", key).replace(b"K%c", b"K\xff") for key in keys]
    program = pickle_of(b"](" + b"".join(storages) + b"e")
    (tmp_path / "x.pth").write_bytes(head.getvalue()[: head.tell()] + program + bytes(2000))
    with pytest.raises(CheckpointError, match="longer than the file"):
        read_path(tmp_path / "x.pth")


def test_archive_with_repeated_or_overlapping_entries_is_an_error(tmp_path):
    path = tmp_path / "evil.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"N.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/data.pkl", b"N.")
    with pytest.raises(CheckpointError, match="twice"):
        read_path(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"N.")
        archive.writestr("b/data.pkl", b"N.")
    with pytest.raises(CheckpointError, match=r"one entry .* got 2"):
        read_path(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"N.")
        archive.writestr("a/data/0", bytes(64))
        second = archive.getinfo("a/data/0")
        archive.writestr("a/data/1", bytes(64))
        archive.getinfo("a/data/1").header_offset = second.header_offset
    with pytest.raises(CheckpointError, match="overlaps another"):
        read_path(path)


def test_index_and_folder_that_refer_to_themselves_are_an_error(tmp_path):
    index = tmp_path / "a.index.json"
    index.write_text('{"weight_map": {"x": "a.index.json"}}')
    for look in (read_path, inspect):
        with pytest.raises(CheckpointError, match="index itself"):
            look(index)
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x.pth").symlink_to(folder)
    for look in (read_path, inspect):
        with pytest.raises(CheckpointError, match="has no checkpoint"):
            look(folder)


def test_sparse_tensor_for_a_dense_parameter_leaves_the_model_unchanged(tmp_path):
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    sparse = torch.eye(2).to_sparse()
    torch.save(
        {**model.state_dict(), "0.weight": torch.ones(2, 2), "1.weight": sparse}, tmp_path / "x"
    )
    with pytest.raises(MismatchError, match=r"1\.weight: sparse_coo in the checkpoint, strided"):
        load_checkpoint(model, tmp_path / "x")
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_invalid_versions_of_modules_are_ignored(tmp_path):
    state = nn.BatchNorm1d(2).state_dict()
    del state["num_batches_tracked"]
    state._metadata[""]["version"] = "new"
    torch.save(state, tmp_path / "x.pth")
    load_checkpoint(nn.BatchNorm1d(2), tmp_path / "x.pth", strict=True)


class Choosy(nn.Linear):
    def _load_from_state_dict(self, state_dict, *args):
        raise KeyError("something else")


def test_error_in_a_modules_own_load_method_becomes_a_mismatch_error(tmp_path):
    torch.save({"0.weight": torch.ones(1, 1)}, tmp_path / "x.pth")
    with pytest.raises(MismatchError, match=r"Choosy at '0'.*something else"):
        load_checkpoint(nn.Sequential(Choosy(1, 1)), tmp_path / "x.pth")


def test_opaque_objects_can_be_saved_and_loaded_again(tmp_path, library_classes):
    from brickwork_zoo import OpaqueObject, save_checkpoint

    config_dict, history_buffer = library_classes
    meta = {**META, "path": pathlib.Path("a"), "dtype": np.dtype("<f4"), "kind": torch.float16}
    meta |= {"cfg": config_dict(a=config_dict(b=1)), "loss": history_buffer()}
    torch.save({"meta": meta, "state_dict": {}}, tmp_path / "run.pth")
    first = read_path(tmp_path / "run.pth")["meta"]
    save_checkpoint(nn.Linear(1, 1), tmp_path / "again.pth", meta=first)
    second = read_path(tmp_path / "again.pth")["meta"]
    assert second.keys() == {*first, "time"}
    loss = second["loss"]
    assert isinstance(loss, OpaqueObject)
    assert loss.type_name == "mmengine.logging.history_buffer.HistoryBuffer"
    np.testing.assert_array_equal(loss.state["_log_history"], np.ones(3))
    for key in META:
        np.testing.assert_array_equal(second[key], first[key])
    assert second["cfg"] == {"a": {"b": 1}}
    assert second["path"] == pathlib.PurePath("a")
    assert inspect(tmp_path / "again.pth").unsafe == ()
