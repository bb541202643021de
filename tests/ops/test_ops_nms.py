"""Suppression against a loop over boxes, and its odd inputs."""

import brickwork_ops as ops
import numpy as np
import pytest
import torch
from brickwork_ops import _greedy_nms
from onnx.reference import ReferenceEvaluator


def random_boxes(count, seed=0, size=100.0):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(count, 2, generator=generator) * size
    extent = torch.rand(count, 2, generator=generator) * size * 0.3
    return torch.cat([corner, corner + extent], 1), torch.rand(count, generator=generator)


def iou(first, second, offset=0):
    width = min(first[2], second[2]) - max(first[0], second[0]) + offset
    height = min(first[3], second[3]) - max(first[1], second[1]) + offset
    intersection = max(width, 0) * max(height, 0)
    areas = [(b[2] - b[0] + offset) * (b[3] - b[1] + offset) for b in (first, second)]
    return intersection / (sum(areas) - intersection)


def loop_nms(boxes, scores, threshold, offset=0):
    """Suppress by the definition, one box at a time."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    kept = []
    for i in order:
        if all(iou(boxes[i], boxes[j], offset) <= threshold for j in kept):
            kept.append(i)
    return kept


@pytest.mark.parametrize("count", [1, 2, 50, 600])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("offset", [0, 1])
def test_equals_a_loop_over_boxes(count, threshold, offset):
    boxes, scores = random_boxes(count)
    boxes = boxes.double()
    dets, kept = ops.nms(boxes, scores.double(), threshold, offset)
    assert kept.tolist() == loop_nms(boxes.tolist(), scores.tolist(), threshold, offset)
    assert torch.equal(dets, torch.cat([boxes, scores[:, None].double()], 1)[kept])


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_result_does_not_depend_on_the_block_size(monkeypatch, block):
    boxes, scores = random_boxes(300)
    expected = ops.nms(boxes, scores, 0.3)[1]
    matched = ops.nms_match(torch.cat([boxes, scores[:, None]], 1), 0.3)
    monkeypatch.setattr(_greedy_nms, "BLOCK", block)
    assert torch.equal(ops.nms(boxes, scores, 0.3)[1], expected)
    again = ops.nms_match(torch.cat([boxes, scores[:, None]], 1), 0.3)
    assert [group.tolist() for group in again] == [group.tolist() for group in matched]


def test_a_chain_of_boxes_keeps_every_other_one():
    """Each box overlaps its neighbors: the worst case of the fixed point."""
    start = torch.arange(500.0)
    boxes = torch.stack([start, 0 * start, start + 1.8, 0 * start + 1], 1)
    kept = ops.nms(boxes, torch.linspace(1, 0, 500), 0.2)[1]
    assert kept.tolist() == list(range(0, 500, 2))


@pytest.mark.parametrize("classes", [1, 3, 40])
def test_batched_equals_a_loop_over_classes(classes):
    boxes, scores = random_boxes(700)
    labels = torch.randint(0, classes, (700,), generator=torch.Generator().manual_seed(1))
    kept = ops.batched_nms(boxes, scores, labels, dict(type="nms", iou_threshold=0.4))[1]
    expected = []
    for label in range(classes):
        members = (labels == label).nonzero().flatten()
        local = loop_nms(boxes[members].tolist(), scores[members].tolist(), 0.4)
        expected += members[torch.tensor(local, dtype=torch.long)].tolist()
    assert kept.tolist() == sorted(expected, key=lambda i: -scores[i])


def test_ties_keep_their_order():
    boxes, _ = random_boxes(200)
    apart = boxes + torch.arange(200.0)[:, None] * 1000
    kept = ops.nms(apart, torch.ones(200), 0.5)[1]
    assert kept.tolist() == list(range(200))


def test_threshold_is_rounded_to_the_type_of_the_boxes():
    """An overlap of exactly 0.3 in float32 does not exceed 0.3."""
    boxes = torch.tensor([[0.0, 0.0, 10.0, 1.0], [0.0, 0.0, 3.0, 1.0]])
    assert len(ops.nms(boxes, torch.tensor([0.9, 0.8]), 0.3)[1]) == 2


@pytest.mark.parametrize("cfg", [dict(iou_threshold=0.5), dict(type="soft_nms"), None])
def test_no_boxes_give_no_boxes(cfg):
    boxes, scores, labels = torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long)
    dets, kept = ops.batched_nms(boxes, scores, labels, cfg)
    assert dets.shape == (0, 5)
    assert kept.shape == (0,)
    assert kept.dtype == torch.long


def test_functions_of_no_boxes_give_no_boxes():
    boxes, scores = torch.zeros(0, 4), torch.zeros(0)
    assert ops.nms(boxes, scores, 0.5)[0].shape == (0, 5)
    assert ops.soft_nms(boxes, scores)[0].shape == (0, 5)
    assert ops.nms_match(torch.zeros(0, 5), 0.5) == []
    assert ops.bbox_overlaps(boxes, torch.zeros(3, 4)).shape == (0, 3)
    assert ops.bbox_overlaps(torch.zeros(0), torch.zeros(0)).shape == (0, 0)


def test_numpy_arrays_give_numpy_arrays():
    boxes, scores = random_boxes(30)
    expected = ops.nms(boxes, scores, 0.5)
    dets, kept = ops.nms(boxes.numpy(), scores.numpy(), 0.5)
    assert isinstance(dets, np.ndarray)
    np.testing.assert_array_equal(dets, expected[0].numpy())
    np.testing.assert_array_equal(kept, expected[1].numpy())
    soft_dets, soft_kept = ops.soft_nms(boxes.numpy(), scores.numpy())
    np.testing.assert_array_equal(soft_kept, ops.soft_nms(boxes, scores)[1].numpy())
    assert isinstance(soft_dets, np.ndarray)
    groups = ops.nms_match(np.concatenate([boxes, scores[:, None]], 1), 0.5)
    assert all(isinstance(group, np.ndarray) for group in groups)


def test_config_is_not_modified():
    boxes, scores = random_boxes(30)
    cfg = dict(type="nms", iou_threshold=0.5, split_thr=5, class_agnostic=True)
    ops.batched_nms(boxes, scores, torch.zeros(30, dtype=torch.long), cfg)
    assert cfg == dict(type="nms", iou_threshold=0.5, split_thr=5, class_agnostic=True)


def test_old_argument_name_warns():
    boxes, scores = random_boxes(30)
    with pytest.warns(DeprecationWarning, match="'iou_thr' of nms is deprecated"):
        kept = ops.nms(boxes, scores, iou_thr=0.5)[1]
    assert torch.equal(kept, ops.nms(boxes, scores, 0.5)[1])


@torch._dynamo.config.patch(capture_dynamic_output_shape_ops=True)
def test_compiles_without_a_break():
    boxes, scores = random_boxes(80)
    labels = torch.arange(80) % 4

    def detect(boxes, scores, labels):
        return ops.batched_nms(boxes, scores, labels, dict(type="nms", iou_threshold=0.5))

    compiled = torch.compile(detect, backend="eager", fullgraph=True)
    for ours, expected in zip(
        compiled(boxes, scores, labels), detect(boxes, scores, labels), strict=True
    ):
        assert torch.equal(ours, expected)
    torch.compiler.reset()


class Detector(torch.nn.Module):
    def __init__(self, offset=0):
        super().__init__()
        self.offset = offset

    def forward(self, boxes, scores):
        return ops.nms(boxes, scores, 0.5, self.offset, 0.05, 20)


def test_exports():
    boxes, scores = random_boxes(80)
    program = torch.export.export(Detector(), (boxes, scores))
    for ours, expected in zip(
        program.module()(boxes, scores), Detector()(boxes, scores), strict=True
    ):
        assert torch.equal(ours, expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # torch's own
@pytest.mark.parametrize("offset", [0, 1])
def test_exports_to_onnx(offset):
    boxes, scores = random_boxes(40)
    program = torch.onnx.export(
        Detector(offset).eval(),
        (boxes, scores),
        dynamo=True,
        custom_translation_table=ops.onnx_translations(),
        verbose=False,
    )
    evaluator = ReferenceEvaluator(program.model_proto)
    inputs = dict(zip(evaluator.input_names, (boxes.numpy(), scores.numpy()), strict=True))
    dets, kept = evaluator.run(None, inputs)
    expected = Detector(offset)(boxes, scores)
    np.testing.assert_array_equal(kept, expected[1].numpy())
    np.testing.assert_allclose(dets, expected[0].numpy(), rtol=1e-6)


def test_custom_operator_is_registered_correctly():
    boxes, scores = random_boxes(20)
    torch.library.opcheck(
        torch.ops.brickwork_ops.nms.default, (boxes, scores, None, 0.5, 0, 0.0, -1, False)
    )
