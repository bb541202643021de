"""Layers of our own as ONNX graphs, run by ONNX's reference implementation.

Those of torch are torch's to export; it knows all but `RReLU`.
"""

import io
from typing import Any

import onnx
import pytest
import torch
from onnx.reference import ReferenceEvaluator


@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning"
)  # of the exporter
def test_exports_to_onnx(own_brick: Any) -> None:
    layer = own_brick.build().eval()
    x = own_brick.input()
    file = io.BytesIO()
    torch.onnx.export(layer, (x,), dynamo=True, verbose=False).save(file)
    graph = ReferenceEvaluator(onnx.load_from_string(file.getvalue()))
    (out,) = graph.run(None, {graph.input_names[0]: x.numpy()})
    torch.testing.assert_close(torch.from_numpy(out), layer(x), rtol=1e-4, atol=1e-5)
