"""What every layer supports: compilation, export, copies, the meta device and any input."""

import copy
import pickle

import pytest
import torch

from tests.layers.bricks import BRICKS, Brick

every_layer = pytest.mark.parametrize("brick", BRICKS, ids=str)
CLOSE = dict(rtol=1e-5, atol=1e-6)


@every_layer
@pytest.mark.slow
@pytest.mark.parametrize("training", [True, False])
def test_layer_compiles_without_a_graph_break(brick: Brick, training: bool) -> None:
    layer = brick.seeded().train(training)
    eager = copy.deepcopy(layer)
    compiled = torch.compile(layer, backend="eager", fullgraph=True)
    torch.manual_seed(5)
    actual = compiled(brick.input())
    torch.manual_seed(5)
    torch.testing.assert_close(actual, eager(brick.input()), **CLOSE)
    torch.compiler.reset()


@every_layer
@pytest.mark.slow
def test_layer_exports_with_a_dynamic_batch(brick: Brick) -> None:
    layer = brick.seeded().eval()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(layer, (brick.input(),), dynamic_shapes=({0: batch},))
    torch.testing.assert_close(program.module()(brick.input(3)), layer(brick.input(3)), **CLOSE)


@every_layer
def test_layer_can_be_pickled_and_copied(brick: Brick) -> None:
    layer = brick.seeded().eval()
    expected = layer(brick.input())
    pickled = pickle.loads(pickle.dumps(layer))
    torch.testing.assert_close(pickled(brick.input()), expected, **CLOSE)
    torch.testing.assert_close(copy.deepcopy(layer)(brick.input()), expected, **CLOSE)


@every_layer
def test_layer_built_on_meta_can_be_loaded(brick: Brick) -> None:
    layer = brick.seeded().eval()
    with torch.device("meta"):
        empty = brick.build().eval()
    assert all(value.is_meta for value in empty.state_dict().values())
    assert empty(brick.input().to("meta")).shape == layer(brick.input()).shape
    empty.load_state_dict(layer.state_dict(), assign=True)
    torch.testing.assert_close(empty(brick.input()), layer(brick.input()), **CLOSE)


@pytest.mark.parametrize("brick", [b for b in BRICKS if len(b.shape) in (4, 5)], ids=str)
def test_channels_last_gives_the_same_output(brick: Brick) -> None:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    layer = brick.seeded().eval()
    expected = layer(brick.input())
    memory_format = formats[len(brick.shape)]
    layer.to(memory_format=memory_format)
    actual = layer(brick.input().contiguous(memory_format=memory_format))
    torch.testing.assert_close(actual, expected, **CLOSE)


@every_layer
def test_autocast_gives_finite_outputs_and_gradients(brick: Brick) -> None:
    layer = brick.seeded()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = layer(brick.input().requires_grad_())
    assert output.isfinite().all()
    output.float().sum().backward()
    assert all(p.grad is not None for p in layer.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    # torch's affine instance norm refuses an empty batch
    "brick",
    [b for b in BRICKS if b.name != "norm IN"],
    ids=str,
)
def test_empty_batch_gives_an_empty_output_and_gradient(brick: Brick) -> None:
    layer = brick.seeded().eval()
    shape = layer(brick.input()).shape
    x = brick.input(0).requires_grad_()
    output = layer(x)
    assert output.shape == (0, *shape[1:])
    output.sum().backward()
    assert x.grad.shape == x.shape


@every_layer
def test_forward_does_not_modify_its_input(brick: Brick) -> None:
    x = brick.input()
    brick.seeded()(x)
    assert torch.equal(x, brick.input())
