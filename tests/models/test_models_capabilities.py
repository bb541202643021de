"""What every network can do: compile, export, be built without memory, run in other layouts."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable

import pytest
import torch
from brickwork_models import (
    VGG,
    AlexNet,
    Darknet,
    EfficientNetLite,
    HRNet,
    MobileNetV2,
    RegNet,
    Res2Net,
    ResNet,
    ResNeXt,
    classic,
    hrnet_stages,
    summarize,
)
from torch import Tensor, nn

TINY = {"num_stages": 2, "strides": (1, 2), "dilations": (1, 1), "out_indices": (0, 1)}
CHAIN = {"w0": 16, "wa": 16.0, "wm": 2.0, "group_w": 8, "depth": 3}
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "alexnet": AlexNet,
    "vgg": lambda: VGG(11, with_bn=True, out_indices=(1, 2, 4)),
    "classic-resnet": lambda: classic.ResNet(18, out_indices=(3,)),
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
    "darknet": lambda: Darknet(num_classes=5),
}


@pytest.fixture(params=NETWORKS)
def build(request: pytest.FixtureRequest) -> Callable[[], nn.Module]:
    return NETWORKS[request.param]


@pytest.fixture
def image() -> Tensor:
    return torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def outputs(out: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (out,) if isinstance(out, Tensor) else tuple(out)


def same(got: Tensor | tuple[Tensor, ...], expected: Tensor | tuple[Tensor, ...]) -> None:
    for a, b in zip(outputs(got), outputs(expected), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_compiles_without_a_graph_break(build: Callable[[], nn.Module], image: Tensor) -> None:
    model = build().eval()
    compiled = torch.compile(model, fullgraph=True, backend="eager")
    with torch.no_grad():
        same(compiled(image), model(image))
    torch.compiler.reset()


def test_exports(build: Callable[[], nn.Module], image: Tensor) -> None:
    model = build().eval()
    with torch.no_grad():
        same(torch.export.export(model, (image,)).module()(image), model(image))


def test_is_built_on_the_meta_device(build: Callable[[], nn.Module], image: Tensor) -> None:
    with torch.device("meta"):
        model = build().eval()
    assert all(t.is_meta for t in (*model.parameters(), *model.buffers()))
    real = build().eval()
    assert {k: v.shape for k, v in model.state_dict().items()} == {
        k: v.shape for k, v in real.state_dict().items()
    }
    shapes = [x.shape for x in outputs(model(image.to("meta")))]
    assert shapes == [x.shape for x in outputs(real(image))]


def test_runs_channels_last(build: Callable[[], nn.Module], image: Tensor) -> None:
    model = build().eval()
    with torch.no_grad():
        expected = model(image)
        last = model.to(memory_format=torch.channels_last)
        same(last(image.contiguous(memory_format=torch.channels_last)), expected)


def test_trains_under_autocast(build: Callable[[], nn.Module], image: Tensor) -> None:
    model = build().train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outs = outputs(model(image))
    assert any(x.dtype == torch.bfloat16 for x in outs)
    sum(x.float().sum() for x in outs).backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_is_copied_pickled_printed_and_summarised(
    build: Callable[[], nn.Module], image: Tensor
) -> None:
    model = build().eval()
    with torch.no_grad():
        expected = model(image)
        same(copy.deepcopy(model)(image), expected)
        same(pickle.loads(pickle.dumps(model))(image), expected)
    assert type(model).__name__ in repr(model)
    summary = summarize(model, (3, 64, 64))
    assert sum(part.parameters for part in summary.parts) == summary.parameters
    assert summary.parameters == sum(p.numel() for p in model.parameters())
    assert sum(part.flops for part in summary.parts) == summary.flops > 0


def test_initialises(build: Callable[[], nn.Module]) -> None:
    model = build()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    model.init_weights()
    changed = [
        key
        for key, value in model.state_dict().items()
        if value.dim() == 4 and not torch.equal(value, before[key])
    ]
    assert bool(changed) != isinstance(model, AlexNet)
