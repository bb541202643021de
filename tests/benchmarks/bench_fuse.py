"""Cost and accuracy of a fused model relative to one without batch norms."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from brickwork_models import ResNet
from brickwork_modules import fuse_conv_bn
from harness import FLOOR, OURS, Row, take_turns
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def network(depth: int) -> nn.Module:
    """Build a ResNet with random batch norms."""
    torch.manual_seed(0)
    model = ResNet(depth).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.3, 0.6)
            nn.init.normal_(module.bias, 0, 0.1)
            nn.init.normal_(module.running_mean, 0, 0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return model


def without_norms(depth: int) -> nn.Module:
    """Build the same ResNet with biases instead of batch norms."""
    model = ResNet(depth).eval()
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.Conv2d) and child.bias is None:
                child.bias = nn.Parameter(torch.zeros(child.out_channels))
    return model


def folded_in_single(model: nn.Module) -> nn.Module:
    """Fuse with torch's own fold, which computes in the weights' precision."""
    model = copy.deepcopy(model)
    for module in model.modules():
        for conv, bn in ((f"conv{i}", f"bn{i}") for i in (1, 2, 3)):
            if hasattr(module, bn):
                fused = fuse_conv_bn_eval(getattr(module, conv), getattr(module, bn))
                setattr(module, conv, fused)
                setattr(module, bn, nn.Identity())
        if isinstance(getattr(module, "downsample", None), nn.Sequential):
            module.downsample = nn.Sequential(fuse_conv_bn_eval(*module.downsample))
    return model


def error(model: nn.Module, x: Tensor, exact: Tensor) -> float:
    """Return the relative RMS error of the last feature map in ppm."""
    return float((model(x)[-1].double() - exact).norm() / exact.norm()) * 1e6


@torch.inference_mode()
def rows(rounds: int = 15, depth: int = 50) -> Iterator[Row]:
    """Measure the time, and the error relative to the unfused model in double precision."""
    x = torch.randn(1, 3, 224, 224)
    model = network(depth)
    fused = fuse_conv_bn(copy.deepcopy(model))
    plain = without_norms(depth)
    values = take_turns({FLOOR: lambda: plain(x), OURS: lambda: fused(x)}, rounds)
    cost = f"forward of ResNet-{depth} after fuse_conv_bn"
    yield Row(cost, "without batch norms", "ms", values, at_most=1.01)
    exact = copy.deepcopy(model).double()(x.double())[-1]
    # The floor is the error of the kernels without batch norms. It exceeds the error of the
    # unfused model, because oneDNN starts its sums at the bias.
    own = copy.deepcopy(fused).double()(x.double())[-1]
    errors = {
        FLOOR: error(fused, x, own),
        OURS: error(fused, x, exact),
        "unfused": error(model, x, exact),
        "folded in float32": error(folded_in_single(model), x, exact),
    }
    yield Row("its error against float64", "its kernels' own", "ppm", errors, at_most=1.05)
