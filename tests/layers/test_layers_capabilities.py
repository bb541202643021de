"""What every layer can do: compile, export, script, copy, pickle, live on meta, take any input."""

import copy
import pickle
from typing import Any

import pytest
import torch
from torch import nn

# Python 3.14 is its end, but until then people deploy with it.
JIT = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")


def made(brick: Any) -> nn.Module:
    torch.manual_seed(0)
    return brick.build()


def same(actual: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_compiles_without_a_break(brick: Any, training: bool) -> None:
    layer = made(brick).train(training)
    expected = copy.deepcopy(layer)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.manual_seed(5)
    ours = compiled(brick.input())
    torch.manual_seed(5)
    same(ours, expected(brick.input()))
    torch.compiler.reset()


def test_exports_for_any_batch(brick: Any) -> None:
    layer = made(brick).eval()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(layer, (brick.input(),), dynamic_shapes=({0: batch},))
    same(program.module()(brick.input(3)), layer(brick.input(3)))


@JIT
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")  # checks of sizes, in torch too
def test_traces(brick: Any) -> None:
    layer = made(brick).eval()
    traced = torch.jit.trace(layer, brick.input())
    same(traced(brick.input(3)), layer(brick.input(3)))


@JIT
def test_scripts(brick: Any) -> None:
    if "SyncBN" in brick.name:
        pytest.skip("collectives cannot be scripted; convert to a plain batch norm first")
    layer = made(brick).eval()
    same(torch.jit.script(layer)(brick.input()), layer(brick.input()))


def test_pickles_and_copies(brick: Any) -> None:
    layer = made(brick).eval()
    expected = layer(brick.input())
    same(pickle.loads(pickle.dumps(layer))(brick.input()), expected)
    same(copy.deepcopy(layer)(brick.input()), expected)


def test_builds_on_meta_and_is_filled_later(brick: Any) -> None:
    layer = made(brick).eval()
    with torch.device("meta"):
        empty = brick.build().eval()
    assert all(value.is_meta for value in empty.state_dict().values())
    assert empty(brick.input().to("meta")).shape == layer(brick.input()).shape
    empty.load_state_dict(layer.state_dict(), assign=True)
    same(empty(brick.input()), layer(brick.input()))


def test_takes_channels_last(brick: Any) -> None:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    if len(brick.shape) not in formats:
        pytest.skip("a format of images and volumes")
    layer = made(brick).eval()
    expected = layer(brick.input())
    memory_format = formats[len(brick.shape)]
    layer.to(memory_format=memory_format)
    same(layer(brick.input().contiguous(memory_format=memory_format)), expected)


def test_runs_under_autocast(brick: Any) -> None:
    layer = made(brick)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(brick.input().requires_grad_())
    assert out.isfinite().all()
    out.float().sum().backward()
    assert all(p.grad is not None for p in layer.parameters() if p.requires_grad)


def test_takes_an_empty_batch(brick: Any) -> None:
    if brick.name == "norm IN":
        pytest.skip("torch's affine instance norm takes no empty batch")
    layer = made(brick).eval()
    shape = layer(brick.input()).shape
    x = brick.input(0).requires_grad_()
    out = layer(x)
    assert out.shape == (0, *shape[1:])
    out.sum().backward()
    assert x.grad.shape == x.shape


def test_leaves_its_input_alone(brick: Any) -> None:
    x = brick.input()
    made(brick)(x)
    assert torch.equal(x, brick.input())
