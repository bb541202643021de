"""The helpers of `brickwork.utils` and `brickwork.runner` behave as downstream code expects."""

import logging

import pytest
import torch
from brickwork import runner, utils
from brickwork.utils import torch_ops
from packaging.version import Version
from torch import nn


@pytest.mark.parametrize(
    "versions",
    [["1.0.dev3", "1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "2.0"]],
)
def test_digit_version_orders_as_pep_440(versions):
    assert sorted(versions, key=Version) == versions
    digits = [utils.digit_version(version) for version in versions]
    assert digits == sorted(digits)
    assert len(set(digits)) == len(digits)


@pytest.mark.parametrize(
    ("version", "digits"),
    [
        ("0.2.16", (0, 2, 16, 0, 0, 0)),
        ("1.2.3", (1, 2, 3, 0, 0, 0)),
        ("1.2.3rc0", (1, 2, 3, 0, -1, 0)),
        ("1.2.3rc1", (1, 2, 3, 0, -1, 1)),
        ("1.0rc0", (1, 0, 0, 0, -1, 0)),
        ("1.0", (1, 0, 0, 0, 0, 0)),
        ("1.5.0+cuda90_cudnn7.6.3_lms", (1, 5, 0, 0, 0, 0)),
        ("2.13.0+cpu", (2, 13, 0, 0, 0, 0)),
    ],
)
def test_digit_version_gives_the_tuples_of_mmcv(version, digits):
    assert utils.digit_version(version) == digits


def test_digit_version_of_an_invalid_version_raises():
    with pytest.raises(ValueError, match="'parrots' is not a version"):
        utils.digit_version("parrots")


def test_torch_version_compares_as_a_version():
    assert utils.TORCH_VERSION >= "2.9"  # as plain strings, 2.10 and later would be smaller
    assert torch.__version__ == utils.TORCH_VERSION


def test_new_empty_tensor_op_keeps_the_graph():
    assert torch_ops.obsolete_torch_version((1, 9), (1, 9))
    assert not torch_ops.obsolete_torch_version((2, 13), (1, 9))
    assert torch_ops.obsolete_torch_version("parrots", (1, 9))
    x = torch.zeros(0, 3, requires_grad=True)
    empty = torch_ops.NewEmptyTensorOp.apply(x, (0, 5, 2))
    empty.sum().backward()
    assert empty.shape == (0, 5, 2)
    assert x.grad.shape == (0, 3)


def test_to_ntuple_repeats_single_values_only():
    assert utils.to_2tuple(3) == (3, 3)
    assert utils.to_2tuple([1, 2]) == [1, 2]
    assert utils.to_ntuple(5)("a") == "a"  # a string is an iterable, as in mmcv


def test_sequence_helpers_check_cast_and_slice():
    assert utils.is_seq_of(("a", "b"), str, seq_type=tuple)
    assert not utils.is_seq_of(iter("a"), str)
    assert not utils.is_list_of((1,), int)
    assert utils.is_tuple_of((1, 2.0), (int, float))
    assert utils.list_cast(("1", "2"), int) == [1, 2]
    assert utils.tuple_cast([1], str) == ("1",)
    assert utils.slice_list([1, 2, 3, 4], 2) == [[1, 2], [3, 4]]
    assert utils.slice_list([1, 2, 3], [1, 2]) == [[1], [2, 3]]
    assert utils.concat_list([[1], [2, 3]]) == [1, 2, 3]
    with pytest.raises(ValueError, match="sum to the list's length 3"):
        utils.slice_list([1, 2, 3], [2, 2])
    with pytest.raises(TypeError, match="iterable"):
        utils.iter_cast(3, int)


def test_deprecated_argument_name_works_with_a_warning():
    @utils.deprecated_api_warning({"size": "shape"}, cls_name="Layer")
    def build(*, shape):
        return shape

    with pytest.warns(DeprecationWarning, match='"size" is deprecated in `Layer.build`'):
        assert build(size=3) == 3
    with pytest.raises(TypeError, match="'shape' and its old name 'size'"):
        build(size=3, shape=4)
    assert build(shape=3) == 3


def test_missing_requirement_is_named_in_the_error():
    @utils.requires_package(["torch", "no_such_package"])
    def use():
        return 1

    with pytest.raises(RuntimeError, match="no_such_package"):
        use()
    assert utils.requires_executable("python3")(lambda: 1)() == 1
    assert utils.import_modules_from_strings("os.path").__name__.endswith("path")
    with pytest.warns(UserWarning, match="no_such"):
        assert utils.import_modules_from_strings(["no_such"], allow_failed_imports=True) == [None]
    with pytest.raises(ModuleNotFoundError):
        utils.import_modules_from_strings("no_such")


def test_method_helpers_find_overrides_and_methods():
    class Derived(nn.Module):
        def forward(self): ...

    assert utils.is_method_overridden("forward", nn.Module, Derived())
    assert not utils.is_method_overridden("train", nn.Module, Derived)
    assert utils.has_method(Derived(), "train")
    assert not utils.has_method(Derived(), "no_such")


def test_loggers_write_to_file_and_print(tmp_path, capsys):
    logger = utils.get_logger("brickwork-test", tmp_path / "run.log")
    assert utils.get_logger("brickwork-test") is logger
    assert utils.get_logger("brickwork-test.child").handlers == []
    utils.print_log("logged", logger)
    utils.print_log("not logged", "silent")
    utils.print_log("printed")
    assert "logged" in (tmp_path / "run.log").read_text()
    assert capsys.readouterr().out == "printed\n"
    with pytest.raises(TypeError, match="logger"):
        utils.print_log("x", 3)
    for handler in list(logger.handlers):
        handler.close()
        logger.removeHandler(handler)
    assert logger.level == logging.INFO


def test_path_helpers_create_list_and_link(tmp_path):
    utils.mkdir_or_exist(tmp_path / "a" / "b")
    utils.mkdir_or_exist("")
    for name in ("x.py", "a/y.PY", ".hidden.py"):
        (tmp_path / name).write_text("")
    assert list(utils.scandir(tmp_path, ".py")) == ["x.py"]
    found = list(utils.scandir(tmp_path, (".py",), recursive=True, case_sensitive=False))
    assert found == ["a/y.PY", "x.py"]
    with pytest.raises(FileNotFoundError, match="no_such"):
        utils.check_file_exist(tmp_path / "no_such")
    utils.symlink(tmp_path / "x.py", tmp_path / "link")
    utils.symlink(tmp_path / "x.py", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()


def test_single_process_is_rank_0_of_1():
    assert runner.get_dist_info() == (0, 1)
    assert runner.master_only(lambda x: x + 1)(1) == 2
    tensor = torch.ones(2)
    runner.allreduce_params([tensor])
    assert torch.equal(tensor, torch.ones(2))


def test_master_only_does_nothing_on_other_ranks(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    assert runner.get_dist_info() == (1, 2)
    assert runner.master_only(lambda: 1)() is None


def test_init_dist_error_names_what_is_missing(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match="RANK"):
        runner.init_dist("pytorch", backend="gloo")
    with pytest.raises(ValueError, match=r"launcher must be one of .*, got 'dask'"):
        runner.init_dist("dask")


class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.fp16_enabled = False
        self.linear = nn.Linear(4, 4)

    @runner.auto_fp16(apply_to=("x",), out_fp32=True)
    def forward(self, x, y=None):
        self.seen = x.dtype, None if y is None else y.dtype
        return self.linear(x)

    @runner.force_fp32()
    def loss(self, x, others):
        self.seen = x.dtype, others[0].dtype
        return x.sum()


def test_precision_is_unchanged_unless_enabled():
    model = Half()
    model(torch.ones(1, 4))
    assert model.seen[0] == torch.float32


def test_auto_fp16_and_force_fp32_cast_their_arguments():
    model = Half()
    runner.wrap_fp16_model(model)
    out = model(torch.ones(1, 4), y=torch.ones(1))
    assert model.seen == (torch.float16, torch.float32)
    assert out.dtype == torch.float32
    expected = model.linear(torch.ones(1, 4))
    assert torch.allclose(out, expected, atol=1e-2)
    model.loss(torch.ones(1).half(), [torch.ones(1).half()])
    assert model.seen == (torch.float32, torch.float32)


def test_precision_decorator_outside_a_module_raises():
    with pytest.raises(TypeError, match="auto_fp16 decorates methods of Module"):
        runner.auto_fp16()(lambda self: 1)(3)


def test_obj_from_dict_builds_by_name_or_class():
    assert isinstance(runner.obj_from_dict({"type": "ReLU"}, nn, {"inplace": True}), nn.ReLU)
    config = {"type": nn.Linear, "in_features": 1, "out_features": 2}
    assert runner.obj_from_dict(config).out_features == 2
    assert "type" in config
    with pytest.raises(TypeError, match="'type'"):
        runner.obj_from_dict({})


def test_seeds_make_draws_reproducible():
    runner.set_random_seed(3)
    first = torch.rand(2)
    runner.set_random_seed(3)
    assert torch.equal(torch.rand(2), first)
    utils.worker_init_fn(worker_id=1, num_workers=2, rank=1, seed=3)
    torch_first = torch.rand(1)
    torch.manual_seed(2 * 1 + 1 + 3)
    assert torch.equal(torch.rand(1), torch_first)


def test_collect_env_lists_the_packages():
    assert utils.collect_env()["brickwork"] == utils.collect_env()["brickwork-zoo"] == "0.1.0"
