"""Capabilities of every model: compile, export, meta device, channels_last, autocast, copies."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from brickwork_models import (
    VGG,
    AlexNet,
    ConvNeXt,
    Darknet,
    EfficientNetLite,
    HRNet,
    MobileNetV2,
    RegNet,
    Res2Net,
    ResNet,
    ResNeXt,
    hrnet_stages,
    summarize,
)
from torch import Tensor, nn

TINY = {"num_stages": 2, "strides": (1, 2), "dilations": (1, 1), "out_indices": (0, 1)}
SMALL = {"channels": (8, 16, 32, 64), "depths": (1, 1, 2, 1)}
CHAIN = {"w0": 16, "wa": 16.0, "wm": 2.0, "group_w": 8, "depth": 3}
MODELS: dict[str, Callable[[], nn.Module]] = {
    "alexnet": AlexNet,
    "vgg": lambda: VGG(11, with_bn=True, out_indices=(1, 2, 4)),
    "resnet-18": lambda: ResNet(18),
    "resnet-v1d": lambda: ResNet(50, base_channels=16, deep_stem=True, avg_down=True, **TINY),
    "resnet-gn-ws": lambda: ResNet(
        50,
        base_channels=32,
        norm_cfg={"type": "GN", "num_groups": 8},
        conv_cfg={"type": "ConvWS"},
        **TINY,
    ),
    "resnet-plugin": lambda: ResNet(
        50,
        base_channels=16,
        plugins=[{"cfg": {"type": "ContextBlock", "ratio": 0.25}, "position": "after_conv3"}],
        **TINY,
    ),
    "resnet-classifier": lambda: ResNet(18, base_channels=16, num_classes=5),
    "resnext": lambda: ResNeXt(50, groups=4, base_width=4, base_channels=16, **TINY),
    "res2net": lambda: Res2Net(50, base_width=4),
    "regnet-x": lambda: RegNet(CHAIN),
    "regnet-y": lambda: RegNet({**CHAIN, "se_ratio": 0.25}, num_classes=5),
    "hrnet": lambda: HRNet(hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1), planes=16)),
    "hrnet-classifier": lambda: HRNet(
        hrnet_stages(8, (1, 1, 1, 1), (1, 1, 1, 1), planes=16), num_classes=5
    ),
    "mobilenet-v2": lambda: MobileNetV2(0.25),
    "efficientnet-lite": lambda: EfficientNetLite(num_classes=5),
    "convnext": lambda: ConvNeXt(SMALL, out_indices=(1, 3)),
    "convnext-classifier": lambda: ConvNeXt(SMALL, num_classes=5),
    "darknet": lambda: Darknet(num_classes=5),
}


IMAGE = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))

Output = Tensor | tuple[Tensor, ...]

every_model = pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)


def outputs(out: Output) -> tuple[Tensor, ...]:
    return (out,) if isinstance(out, Tensor) else tuple(out)


def assert_close(
    actual: Tensor | tuple[Tensor, ...], expected: Tensor | tuple[Tensor, ...]
) -> None:
    for a, b in zip(outputs(actual), outputs(expected), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
@every_model
def test_compiles_without_a_graph_break(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        assert_close(compiled(IMAGE), model(IMAGE))
    torch.compiler.reset()


@pytest.mark.slow
@every_model
def test_exports(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    with torch.no_grad():
        assert_close(torch.export.export(model, (IMAGE,)).module()(IMAGE), model(IMAGE))


@every_model
def test_builds_and_runs_on_meta_device(build: Callable[[], nn.Module]) -> None:
    with torch.device("meta"):
        model = build().eval()
    assert all(t.is_meta for t in (*model.parameters(), *model.buffers()))
    real = build().eval()
    assert {k: v.shape for k, v in model.state_dict().items()} == {
        k: v.shape for k, v in real.state_dict().items()
    }
    shapes = [x.shape for x in outputs(model(IMAGE.to("meta")))]
    assert shapes == [x.shape for x in outputs(real(IMAGE))]


@every_model
def test_channels_last_gives_same_outputs(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    with torch.no_grad():
        expected = model(IMAGE)
        last = model.to(memory_format=torch.channels_last)
        assert_close(last(IMAGE.contiguous(memory_format=torch.channels_last)), expected)


@every_model
def test_trains_under_autocast(build: Callable[[], nn.Module]) -> None:
    model = build().train()
    conv = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
    dtypes = []  # of a convolution, since norms end in float32
    conv.register_forward_hook(lambda _module, _inputs, out: dtypes.append(out.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outs = outputs(model(IMAGE))
    assert dtypes == [torch.bfloat16]
    sum(x.float().sum() for x in outs).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


@every_model
def test_copies_pickles_prints_and_summarizes(build: Callable[[], nn.Module]) -> None:
    model = build().eval()
    with torch.no_grad():
        expected = model(IMAGE)
        assert_close(copy.deepcopy(model)(IMAGE), expected)
        assert_close(pickle.loads(pickle.dumps(model))(IMAGE), expected)
    assert type(model).__name__ in repr(model)
    summary = summarize(model, (3, 64, 64))
    assert sum(part.parameters for part in summary.parts) == summary.parameters
    assert summary.parameters == sum(p.numel() for p in model.parameters())
    assert sum(part.flops for part in summary.parts) == summary.flops > 0


@every_model
def test_init_weights_redraws_convolutions(build: Callable[[], nn.Module]) -> None:
    model = build()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.init_weights()
    changed = [
        key
        for key, value in model.state_dict().items()
        if value.dim() == 4 and not torch.equal(value, before[key])
    ]
    assert bool(changed) != isinstance(model, AlexNet)
