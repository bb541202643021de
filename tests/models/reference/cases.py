"""Models that are compared with those of other libraries, and the values that fill them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch


@dataclass(frozen=True)
class Case:
    """A model of another library that exists here under the same name.

    Attributes:
        library: ``"torchvision"`` or ``"timm"``.
        name: Name of the model in the library.
        features: Whether only the ``features`` of VGG are compared.
    """

    library: str
    name: str
    features: bool = False

    def __str__(self) -> str:
        return f"{self.library}-{self.name}"


VGGS = [f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn")]
RESNETS = [f"resnet{depth}" for depth in (18, 34, 50, 101, 152)]
_SIZES = ("400mf", "800mf", "1_6gf", "3_2gf", "8gf", "16gf", "32gf")
TORCHVISION = [
    "alexnet",
    *VGGS,
    *RESNETS,
    *("resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d"),
    *("wide_resnet50_2", "wide_resnet101_2"),
    *(f"regnet_{kind}_{size}" for kind in "xy" for size in _SIZES),
    "regnet_y_128gf",
    "mobilenet_v2",
    *(f"convnext_{size}" for size in ("tiny", "small", "base", "large")),
]
_TENTHS = ("002", "004", "006", "008", "016", "032", "040", "064", "080", "120", "160", "320")
TIMM = [
    *VGGS,
    *RESNETS,
    *("resnet26", "resnet200", "resnet18d", "resnet26d", "resnet34d", "resnet200d"),
    *(f"resnet{depth}{variant}" for depth in (50, 101, 152) for variant in "cds"),
    "resnet50_gn",
    *("resnext50_32x4d", "resnext50d_32x4d", "resnext101_64x4d"),
    *(f"resnext101_32x{width}d" for width in (4, 8, 16, 32)),
    *("wide_resnet50_2", "wide_resnet101_2"),
    *(f"res2net50_{size}" for size in ("14w_8s", "26w_4s", "26w_6s", "26w_8s", "48w_2s")),
    *("res2net101_26w_4s", "res2net50d", "res2net101d"),
    *(f"hrnet_w{width}" for width in (18, 30, 32, 40, 44, 48, 64)),
    *(f"hrnet_w{variant}" for variant in ("18_small", "18_small_v2", "18_ssld", "48_ssld")),
    *(f"regnetx_{size}" for size in (*_TENTHS, "004_tv")),
    *(f"regnety_{size}" for size in (*_TENTHS, "008_tv", "080_tv", "640", "1280", "2560")),
    *(f"mobilenetv2_{percent}" for percent in ("035", "050", "075", "100", "140")),
    *(f"tf_efficientnet_lite{size}" for size in range(5)),
    *(f"convnext_{size}" for size in ("tiny", "small", "base", "large", "xlarge")),
]
# Models of timm whose names start like those of the families here, but which differ from them: by
# the feature that no checkpoint of the zoo has.
TIMM_OTHERS = {
    "a stem of three widths": r"resnet(10|14|26|50)t",
    "attention or other blocks": r"resnet(32|33)ts|resnet(51|61)q|resnext26ts",
    "CLIP's head or a multilayer perceptron": r"resnet\d+(x\d+)?_(clip|clip_gap|mlp)",
    "anti-aliased pooling": r"resnet(aa|blur)\d+d?",
    "squeeze and excitation": r"resnetrs\d+",
    "activation before convolution": r"resnetv2_\w+",
    "SiLU and group norm": r"regnety_040_sgn",
    "deeper, with a fixed head": r"mobilenetv2_1[12]0d",
}
# Outputs are stored of smaller models, and of these.
MOST_PARAMETERS = 30_000_000
MEASURED = {
    f"torchvision-{name}"
    for name in ("alexnet", "vgg11", "resnet101", "resnet152", "resnext101_32x8d")
} | {"torchvision-wide_resnet50_2", "timm-vgg11"}
CASES = [
    Case(library, name, name in VGGS[2:])
    for library, names in (("torchvision", TORCHVISION), ("timm", TIMM))
    for name in names
]


def fill(key: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Return values that depend only on the name and shape of a tensor.

    They keep the scale of a model's activations: He's variance for weights, norms near the
    identity.
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
    """Return the image that every model gets, ``(1, 3, side, side)``."""
    return 4 * (fill("the image", (1, 3, side, side)) / np.sqrt(24 / (3 * side * side)))


def samples(model: torch.nn.Module) -> dict[str, list[float]]:
    """Return four evenly spaced values of each entry of the state dict, as float32.

    A different distribution, scale or order of draws changes nearly all of them; unlike a hash,
    they can be compared across processors.
    """
    sampled = {}
    for key, value in model.state_dict().items():
        flat = value.detach().flatten()
        positions = [i * (len(flat) - 1) // 3 for i in range(4)]
        sampled[key] = [float(f"{flat[position].item():.9g}") for position in positions]
    return sampled


# Weights of torchvision, and options of timm's transforms.
PREPROCESSING_CASES: dict[str, dict[str, Any]] = {
    "ResNet50_Weights.IMAGENET1K_V1": {},
    "ResNet50_Weights.IMAGENET1K_V2": {},
    "ConvNeXt_Tiny_Weights.IMAGENET1K_V1": {},
    "RegNet_Y_16GF_Weights.IMAGENET1K_SWAG_E2E_V1": {},
    "VGG16_Weights.IMAGENET1K_FEATURES": {},
    "timm-bicubic": {
        "size": 224,
        "interpolation": "bicubic",
        "mean": (123.675, 116.28, 103.53),
        "std": (58.395, 57.12, 57.375),
        "crop": 0.95,
    },
    "timm-squash": {
        "size": 240,
        "interpolation": "bilinear",
        "mean": (127.5, 127.5, 127.5),
        "std": (127.5, 127.5, 127.5),
        "crop": 1.0,
        "square": True,
    },
}


def photograph() -> np.ndarray:
    """Return a photograph-sized RGB image ``(300, 417, 3)`` of noise on a gradient."""
    rng = np.random.Generator(np.random.PCG64(0))
    rows, columns = np.mgrid[:300, :417]
    gradient = (rows[..., None] * 0.4 + columns[..., None] * [0.2, 0.3, 0.1]) % 200
    return (gradient + rng.integers(0, 56, (300, 417, 3))).astype(np.uint8)


def pixel_grid(images: torch.Tensor) -> list[float]:
    """Return every 31st pixel in both directions, with nine digits."""
    return [float(f"{value:.9g}") for value in images[..., ::31, ::31].flatten().tolist()]
