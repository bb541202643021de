"""Operators relative to torchvision's compiled ones, and to grid_sample for deformable attention.

Rows that need torchvision are left out where it is not installed.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import brickwork_ops as ops
import torch
import torch.nn.functional as F
from harness import FLOOR, OURS, Row, fresh, importable, take_turns
from torch import Tensor

# Channels and size of c3 to c5 of ResNet-50 for an image of 800 x 1333.
STAGES = {"c3": (128, 100, 167), "c4": (256, 50, 84), "c5": (512, 25, 42)}
LEVELS = ((100, 167), (50, 84), (25, 42), (13, 21))
QUERIES = {"a decoder": 300, "an encoder": sum(h * w for h, w in LEVELS)}


def backward(function: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], object]:
    """Return a run of a function forward and backward."""

    def run() -> None:
        leaves = [x.detach().requires_grad_() for x in inputs]
        function(*leaves).sum().backward()

    return run


def deform_inputs(stage: str) -> tuple[Tensor, ...]:
    """Make an input, offsets, masks and a weight for a 3 x 3 convolution."""
    channels, height, width = STAGES[stage]
    return (
        torch.randn(1, channels, height, width),
        torch.randn(1, 18, height, width),
        torch.rand(1, 9, height, width),
        torch.randn(channels, channels, 3, 3) * 0.02,
    )


def plain(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    return ops.deform_conv2d(x, offset, weight, padding=1)


def modulated(x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    return ops.modulated_deform_conv2d(x, offset, mask, weight, padding=1)


def deform_rows(rounds: int, torchvision: Any) -> Iterator[Row]:
    """Measure deformable convolution."""
    for stage in STAGES:
        inputs = deform_inputs(stage)
        for name, function, uses_mask in (
            ("deform_conv2d", plain, False),
            ("modulated_deform_conv2d", modulated, True),
        ):

            def peer(
                x: Tensor, offset: Tensor, mask: Tensor, weight: Tensor, m: bool = uses_mask
            ) -> Tensor:
                how = {"padding": 1, "mask": mask if m else None}
                return torchvision.deform_conv2d(x, offset, weight, **how)

            runs = {FLOOR: partial(peer, *inputs), OURS: partial(function, *inputs)}
            with torch.no_grad():
                values = take_turns(runs, rounds)
            yield Row(f"{name}, {stage}", "torchvision", "ms", values, at_most=0.55)
            runs = {FLOOR: backward(peer, *inputs), OURS: backward(function, *inputs)}
            values = take_turns(runs, max(rounds // 3, 1))
            cost = f"{name}, {stage}, and backward"
            yield Row(cost, "torchvision", "ms", values, at_most=0.3)


def boxes(count: int, size: tuple[float, float], sides: float) -> Tensor:
    """Make boxes with sides that are spread around a value."""
    corner = torch.rand(count, 2) * torch.tensor(size) * 0.8
    return torch.cat([corner, corner + (torch.randn(count, 2) * 0.6).exp() * sides], 1)


def roi_rows(rounds: int, torchvision: Any) -> Iterator[Row]:
    """Measure RoIAlign of 1,000 boxes, about 14 pixels wide on the map."""
    x, scale = torch.randn(1, 256, 100, 167), 1 / 8
    rois = torch.cat([torch.zeros(1000, 1), boxes(1000, (1333, 800), 14 / scale)], 1)
    for ratio, limit, backward_limit in ((2, 0.4, 0.25), (0, 0.5, 1.5)):

        def ours(x: Tensor, ratio: int = ratio) -> Tensor:
            return ops.roi_align(x, rois, 7, scale, ratio)

        def peer(x: Tensor, ratio: int = ratio) -> Tensor:
            return torchvision.roi_align(x, rois, 7, scale, ratio, True)

        cost = f"roi_align, 1,000 boxes, sampling_ratio={ratio}"
        with torch.no_grad():
            values = take_turns({FLOOR: partial(peer, x), OURS: partial(ours, x)}, rounds)
        yield Row(cost, "torchvision", "ms", values, at_most=limit)
        runs = {FLOOR: backward(peer, x), OURS: backward(ours, x)}
        values = take_turns(runs, max(rounds // 3, 1))
        yield Row(f"{cost}, and backward", "torchvision", "ms", values, at_most=backward_limit)


def nms_rows(rounds: int, torchvision: Any) -> Iterator[Row]:
    """Measure suppression of 10,000 boxes in 80 classes."""
    candidates, scores = boxes(10_000, (1333, 800), 80), torch.rand(10_000)
    balanced = torch.arange(10_000) % 80
    one_large = torch.where(torch.rand(10_000) < 1 / 3, 0, balanced)
    cfg = dict(type="nms", iou_threshold=0.5)
    for name, labels in (("80 classes", balanced), ("one class of 3,300 among 80", one_large)):
        runs = {
            FLOOR: partial(torchvision.batched_nms, candidates, scores, labels, 0.5),
            OURS: partial(ops.batched_nms, candidates, scores, labels, cfg),
        }
        cost = f"batched_nms, 10,000 boxes, {name}"
        yield Row(cost, "torchvision", "ms", take_turns(runs, rounds), at_most=2)


def attention_inputs(queries: int) -> tuple[Tensor, Tensor, Tensor]:
    """Make values, locations and weights of 8 heads and 4 points per level.

    The queries of an encoder are the pixels of the maps, and read around their own place.
    """
    value = torch.randn(1, QUERIES["an encoder"], 8, 32)
    locations = torch.rand(1, queries, 8, 4, 4, 2)
    if queries == QUERIES["an encoder"]:
        places = [
            torch.cartesian_prod((torch.arange(h) + 0.5) / h, (torch.arange(w) + 0.5) / w)
            for h, w in LEVELS
        ]
        centers = torch.cat(places).flip(1).view(1, queries, 1, 1, 1, 2)
        locations = centers + (locations - 0.5) * 0.1
    return value, locations, torch.rand(1, queries, 8, 4, 4)


def sampled_attention(value: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """Sample each level with grid_sample, stack and sum, as mmcv does on a CPU."""
    n, _, heads, channels = value.shape
    queries = locations.shape[1]
    samples = []
    for level, part in enumerate(value.split([h * w for h, w in LEVELS], 1)):
        maps = part.flatten(2).transpose(1, 2).reshape(n * heads, channels, *LEVELS[level])
        grid = (2 * locations[:, :, :, level] - 1).transpose(1, 2).flatten(0, 1)
        samples.append(F.grid_sample(maps, grid, align_corners=False))
    weights = weights.transpose(1, 2).reshape(n * heads, 1, queries, -1)
    out = (torch.stack(samples, -2).flatten(-2) * weights).sum(-1)
    return out.view(n, heads * channels, queries).transpose(1, 2).contiguous()


def our_attention(value: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    return ops.multi_scale_deformable_attn_pytorch(value, LEVELS, locations, weights)


def attention_rows(rounds: int) -> Iterator[Row]:
    """Measure multi-scale deformable attention."""
    for name, queries in QUERIES.items():
        inputs = attention_inputs(queries)
        cost = f"deformable attention, {queries:,} queries of {name}"
        runs = {FLOOR: partial(sampled_attention, *inputs), OURS: partial(our_attention, *inputs)}
        with torch.no_grad():
            values = take_turns(runs, rounds)
        yield Row(cost, "grid_sample", "ms", values, at_most=1.1)
        runs = {
            FLOOR: backward(sampled_attention, *inputs),
            OURS: backward(our_attention, *inputs),
        }
        values = take_turns(runs, max(rounds // 3, 1))
        yield Row(f"{cost}, and backward", "grid_sample", "ms", values, at_most=1.1)


def memory_rows() -> Iterator[Row]:
    """Measure the memory of forward passes that are recorded for a backward pass."""
    values = {name: fresh(__file__, case) for name, case in MEMORY["attention"].items()}
    cost = "memory of deformable attention, forward, encoder"
    yield Row(cost, "grid_sample", "MB", values, at_most=0.5)
    channels, height, width = STAGES["c3"]
    columns = channels * 9 * height * width * 4 / 1e6
    values = {FLOOR: columns, OURS: fresh(__file__, "deform")}
    yield Row("memory of deform_conv2d, c3, forward", "the columns", "MB", values, at_most=1.5)


MEMORY = {"attention": {FLOOR: "sampled", OURS: "attention"}}


def high_water_mark() -> float:
    """Return the peak memory of this process in MB; `ru_maxrss` includes that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1e3


def peak(case: str) -> float:
    """Return by how many MB the peak memory of this process grows in a forward pass."""
    if case == "deform":
        function, inputs, small = plain, deform_inputs("c3"), deform_inputs("c3")
        small = (small[0][:, :, :9], small[1][:, :, :9], small[2], small[3])
    else:
        function = sampled_attention if case == "sampled" else our_attention
        inputs, small = attention_inputs(QUERIES["an encoder"]), attention_inputs(9)
    function(*small)  # what the first call loads is not counted
    leaves = [x.requires_grad_() for x in inputs]
    before = high_water_mark()
    function(*leaves)
    return high_water_mark() - before


def rows(rounds: int = 9) -> Iterator[Row]:
    """Measure each operator by our own implementation."""
    torch.manual_seed(0)
    if importable("torchvision"):
        import torchvision.ops as torchvision  # a peer: optional

        for operator in ("nms", "roi_align"):
            ops.set_backend(operator, "brickwork")
        yield from deform_rows(rounds, torchvision)
        yield from roi_rows(rounds, torchvision)
        yield from nms_rows(rounds, torchvision)
    yield from attention_rows(rounds)
    yield from memory_rows()


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(json.dumps(peak(sys.argv[1])))
