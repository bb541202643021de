"""The networks that are compared with other libraries', and the values they are filled with."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Case:
    """A network of another library and the same network here.

    Attributes:
        library: ``"torchvision"`` or ``"timm"``.
        theirs: Its name there.
        ours: Its name here.
        key_map: The map between the names of the parameters.
        features: Whether only the convolutions are compared: the ``features`` of VGG.
    """

    library: str
    theirs: str
    ours: str
    key_map: str
    features: bool = False


CASES = [
    Case("torchvision", "alexnet", "alexnet", "torchvision/same"),
    Case("torchvision", "vgg11", "vgg11", "torchvision/same"),
    Case("torchvision", "vgg13_bn", "vgg13_bn", "torchvision/same", features=True),
    Case("torchvision", "vgg16_bn", "vgg16_bn", "torchvision/same", features=True),
    Case("torchvision", "vgg19", "vgg19", "torchvision/same", features=True),
    *(
        Case("torchvision", name, name, "torchvision/same")
        for name in (
            "resnet18",
            "resnet34",
            "resnet50",
            "resnet101",
            "resnet152",
            "resnext50_32x4d",
            "resnext101_32x8d",
            "wide_resnet50_2",
        )
    ),
    *(
        Case("torchvision", theirs, ours, "torchvision/regnet")
        for theirs, ours in (
            ("regnet_x_400mf", "regnetx_400mf_tv"),
            ("regnet_x_3_2gf", "regnetx_3.2gf"),
            ("regnet_y_400mf", "regnety_400mf"),
            ("regnet_y_800mf", "regnety_800mf_tv"),
            ("regnet_y_1_6gf", "regnety_1.6gf"),
        )
    ),
    Case("torchvision", "mobilenet_v2", "mobilenet_v2", "torchvision/mobilenet_v2"),
    Case("timm", "mobilenetv2_100", "mobilenet_v2", "timm/mobilenet_v2"),
    *(
        Case("timm", name, name, "timm/same")
        for name in (
            "hrnet_w18",
            "hrnet_w18_small",
            "hrnet_w18_small_v2",
            "res2net50_14w_8s",
            "res2net50_26w_4s",
            "res2net101_26w_4s",
        )
    ),
    Case("timm", "res2net50d", "res2net50d", "timm/deep_stem"),
    Case("timm", "resnet18d", "resnet18_v1d", "timm/deep_stem"),
    Case("timm", "resnet50d", "resnet50_v1d", "timm/deep_stem"),
    Case("timm", "regnetx_004", "regnetx_400mf", "timm/regnet"),
    Case("timm", "regnety_016", "regnety_1.6gf", "timm/regnet"),
    Case("timm", "vgg11_bn", "vgg11_bn", "timm/vgg"),
]


def fill(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Make the values of a tensor from nothing but its name and shape.

    They are what keeps the signal of a network at its size: He's variance for weights, norms
    near the identity.
    """
    if key.endswith("num_batches_tracked"):
        return torch.tensor(0)
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    uniform = rng.random(shape, dtype=np.float32)
    if len(shape) > 1:
        values = (uniform - 0.5) * np.sqrt(24 / np.prod(shape[1:]))
    elif key.endswith(("weight", "running_var")):
        values = 0.3 + 0.4 * uniform
    else:
        values = 0.2 * (uniform - 0.5)
    return torch.from_numpy(values.astype(np.float32))


def image(side: int = 64) -> torch.Tensor:
    """Make the image that every network sees, ``(1, 3, side, side)``."""
    return 4 * (fill("the image", (1, 3, side, side)) / np.sqrt(24 / (3 * side * side)))
