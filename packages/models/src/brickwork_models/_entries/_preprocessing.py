"""How images are preprocessed for a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing with which weights were trained.

    Attributes:
        size: Height and width of the model's input in pixels.
        mean: Mean that is subtracted from each channel, in the range 0 to 255.
        std: Standard deviation by which each channel is divided.
        channel_order: ``"RGB"`` or ``"BGR"``; ``mean`` and ``std`` are in this order.
        crop: ``size`` divided by the length to which the shorter side is resized.
        interpolation: ``"bilinear"`` or ``"bicubic"``.
        square: Whether both sides are resized to this length, regardless of the aspect ratio.
    """

    size: int = 224
    mean: tuple[float, float, float] = (123.675, 116.28, 103.53)
    std: tuple[float, float, float] = (58.395, 57.12, 57.375)
    channel_order: str = "RGB"
    crop: float = 0.875
    interpolation: str = "bilinear"
    square: bool = False


IMAGENET = Preprocessing()
PYCLS = Preprocessing(
    mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), channel_order="BGR"
)
