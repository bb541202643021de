"""Translations to ONNX of what `torch.onnx` does not know."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch


def onnx_translations() -> dict[Callable[..., Any], Callable[..., Any]]:
    """Return the translations of this package's operators for `torch.onnx.export`.

    Needs the package ``onnxscript``. Pass the result as ``custom_translation_table``, with
    ``dynamo=True``. The suppression becomes ``NonMaxSuppression``, which knows one class, an
    offset of 0 or 1 and both thresholds; classes have been moved apart before.

    Returns:
        Translation by operator.
    """
    # Optional. Its types follow the ONNX specification and do not accept constants: use none.
    op: Any = import_module("onnxscript").opset18

    def nms_indices(
        boxes: Any,
        scores: Any,
        groups: Any = None,
        iou_threshold: float = 0.5,
        offset: int = 0,
        score_threshold: float = 0.0,
        max_num: int = -1,
        independent: bool = False,
    ) -> Any:
        if offset:
            boxes = op.Add(boxes, op.Constant(value_floats=[0.0, 0.0, 1.0, 1.0]))
        limit = max_num if max_num > 0 else torch.iinfo(torch.int64).max
        chosen = op.NonMaxSuppression(
            op.Unsqueeze(boxes, op.Constant(value_ints=[0])),
            op.Unsqueeze(scores, op.Constant(value_ints=[0, 1])),
            op.Constant(value_ints=[limit]),
            op.Constant(value_floats=[iou_threshold]),
            op.Constant(value_floats=[score_threshold if score_threshold > 0 else -3.4e38]),
        )
        return op.Squeeze(
            op.Slice(
                chosen,
                op.Constant(value_ints=[2]),
                op.Constant(value_ints=[3]),
                op.Constant(value_ints=[1]),
            ),
            op.Constant(value_ints=[1]),
        )

    return {torch.ops.brickwork_ops.nms.default: nms_indices}
