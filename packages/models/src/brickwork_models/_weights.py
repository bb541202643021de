"""Checkpoints of the zoo: where they are, what they hold, what images they expect."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Preprocessing:
    """The images that weights expect.

    Attributes:
        size: Side of the image in pixels.
        mean: What is subtracted from each channel, on the scale 0 to 255.
        std: What each channel is divided by then.
        channel_order: ``"RGB"`` or ``"BGR"``; mean and std are in this order.
        crop: Side of the middle that is cut out, over the shorter side of the photograph.
        interpolation: How the photograph is resized, ``"bilinear"`` or ``"bicubic"``.
    """

    size: int = 224
    mean: tuple[float, float, float] = (123.675, 116.28, 103.53)
    std: tuple[float, float, float] = (58.395, 57.12, 57.375)
    channel_order: str = "RGB"
    crop: float = 0.875
    interpolation: str = "bilinear"


@dataclass(frozen=True)
class Weights:
    """A checkpoint for a network.

    Attributes:
        tag: Its name among those of the network.
        uri: Where it is, as the zoo understands it.
        library: Whose names its parameters have: which of :attr:`Entry.key_maps` fits.
        preprocessing: The images that it expects.
        classifier: Whether it holds the classifier, too.
        licence: Its licence, or who has to be asked.
    """

    tag: str
    uri: str
    library: str
    preprocessing: Preprocessing
    classifier: bool
    licence: str


NOT_STATED = "not stated; ask the authors"
CC_BY_SA = "CC-BY-SA-3.0"

IMAGENET = Preprocessing()
CAFFE = Preprocessing(mean=(103.53, 116.28, 123.675), std=(1.0, 1.0, 1.0), channel_order="BGR")
DETECTRON = replace(CAFFE, mean=(102.9801, 115.9465, 122.7717))
PYCLS = replace(CAFFE, std=(57.375, 57.12, 58.395))
VGG_CAFFE = Preprocessing(std=(1.0, 1.0, 1.0))
DARKNET = Preprocessing(size=256, mean=(0.0, 0.0, 0.0), std=(255.0, 255.0, 255.0))
SWAG = Preprocessing(crop=1.0, interpolation="bicubic")

# What the second half of a torchvision name says: images and licence; one name says otherwise.
V1, V2 = "imagenet1k_v1", "imagenet1k_v2"
SWAG_E2E, SWAG_LINEAR = "imagenet1k_swag_e2e_v1", "imagenet1k_swag_linear_v1"
FEATURES = "imagenet1k_features"
_CROP_LESS = Preprocessing(crop=224 / 232)
_RECIPES = {
    V1: (IMAGENET, "BSD-3-Clause"),
    V2: (_CROP_LESS, "BSD-3-Clause"),
    f"resnext101_64x4d.{V1}": (_CROP_LESS, "BSD-3-Clause"),
    SWAG_E2E: (replace(SWAG, size=384), "CC-BY-NC-4.0"),
    SWAG_LINEAR: (SWAG, "CC-BY-NC-4.0"),
    FEATURES: (replace(VGG_CAFFE, mean=(122.99925, 116.9991, 103.9992)), NOT_STATED),
}


def torchvision(name: str, *tags: str) -> tuple[Weights, ...]:
    """Give torchvision's checkpoints of a network.

    Args:
        name: Its name there.
        *tags: Names of the weights, in lower case.

    Returns:
        The checkpoints, in this order.
    """
    found = []
    for tag in tags:
        images, licence = _RECIPES.get(f"{name}.{tag}") or _RECIPES[tag]
        classifier = tag != FEATURES  # whose file has a classifier, but no values in it
        library = "torchvision" if classifier else "torchvision-features"
        uri = f"torchvision://{name}.{tag}"
        found.append(Weights(tag, uri, library, images, classifier, licence))
    return tuple(found)


def mmcls(name: str) -> tuple[Weights, ...]:
    """Give mmcls' checkpoint of a network: a whole classifier.

    Args:
        name: Its name behind ``mmcls://``.

    Returns:
        The checkpoint, alone.
    """
    return (Weights("mmcls", f"mmcls://{name}", "mmcls", IMAGENET, True, "Apache-2.0"),)


def open_mmlab(
    name: str,
    images: Preprocessing = IMAGENET,
    licence: str = NOT_STATED,
    *,
    classifier: bool = False,
    tag: str = "open-mmlab",
) -> tuple[Weights, ...]:
    """Give a checkpoint that OpenMMLab's configs start from.

    Args:
        name: Its name behind ``open-mmlab://``.
        images: The images that it expects.
        licence: Its licence.
        classifier: Whether it is known to hold the classifier, too.
        tag: Its name among those of the network.

    Returns:
        The checkpoint, alone.
    """
    return (Weights(tag, f"open-mmlab://{name}", "open-mmlab", images, classifier, licence),)


def timm(tag: str, file: str, images: Preprocessing) -> tuple[Weights, ...]:
    """Give a checkpoint of timm's first releases.

    Args:
        tag: Its name among those of the network.
        file: The file, with its hash.
        images: The images that it expects.

    Returns:
        The checkpoint, alone.
    """
    uri = f"https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/{file}"
    return (Weights(tag, uri, "timm", images, True, "Apache-2.0"),)
