"""ONNX export of the layers of this package, run by ONNX's reference implementation.

Layers that are torch's own are left to torch; it exports all but `RReLU`.
"""

import io

import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator

from tests.layers.bricks import OWN_BRICKS, Brick


@pytest.mark.slow
@pytest.mark.parametrize("brick", OWN_BRICKS, ids=str)
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning"
)  # of the exporter
def test_onnx_graph_gives_the_same_output(brick: Brick) -> None:
    layer = brick.build().eval()
    x = brick.input()
    file = io.BytesIO()
    torch.onnx.export(layer, (x,), dynamo=True, verbose=False).save(file)
    graph = ReferenceEvaluator(onnx.load_from_string(file.getvalue()))
    (output,) = graph.run(None, {graph.input_names[0]: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(output), layer(x), rtol=1e-4, atol=1e-5)
