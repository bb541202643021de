"""Preprocessing of images for a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    ImageLike: TypeAlias = Image | np.ndarray[Any, Any] | Tensor


@dataclass(frozen=True)
class Preprocessing:
    """Preprocessing with which weights were trained; call it to prepare images for the model.

    A PIL image is resized by Pillow, an array or tensor by torch with antialiasing, as torchvision
    does in both cases. The two differ by up to one gray level with bilinear and five with bicubic
    interpolation.

    Attributes:
        size: Height and width of the model's input in pixels.
        mean: Mean that is subtracted from each channel, in the range 0 to 255.
        std: Standard deviation by which each channel is divided.
        channel_order: ``"RGB"`` or ``"BGR"``; ``mean`` and ``std`` are in this order.
        crop: ``size`` divided by the length to which the shorter side is resized, which is rounded
            down.
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

    def __call__(self, images: ImageLike | Sequence[ImageLike]) -> Tensor:
        """Resize, center-crop and normalize images.

        Args:
            images: RGB image, or a sequence of images: a PIL image of any mode, a ``uint8`` array
                ``(H, W, 3)`` or ``(N, H, W, 3)``, or a ``uint8`` tensor ``(3, H, W)`` or
                ``(N, 3, H, W)``.

        Returns:
            Input of the model ``(N, 3, size, size)``, on the device of the images.

        Raises:
            TypeError: An image has another type or dtype.
            ValueError: An image has another shape.
        """
        if isinstance(images, Sequence):
            pixels = torch.cat([self._resize_and_crop(image) for image in images])
        else:
            pixels = self._resize_and_crop(images)
        if self.channel_order == "BGR":
            pixels = pixels.flip(1)
        mean, std = (pixels.new_tensor(v, dtype=torch.float32) for v in (self.mean, self.std))
        # Divided by 255 first, so that the rounding is that of torchvision and timm.
        scaled = pixels.float() / 255
        return (scaled - (mean / 255).view(3, 1, 1)) / (std / 255).view(3, 1, 1)

    def _resize_and_crop(self, image: Any) -> Tensor:
        """Return ``uint8`` pixels ``(N, 3, size, size)``."""
        if hasattr(image, "resize") and hasattr(image, "convert"):  # a PIL image
            pixels = self._resize_pil(image)
        elif isinstance(image, Tensor):
            pixels = self._resize_tensor(image)
        elif hasattr(image, "__array_interface__"):
            tensor = torch.as_tensor(image)
            pixels = self._resize_tensor(tensor.movedim(-1, -3) if tensor.ndim > 2 else tensor)
        else:
            raise TypeError(
                f"an image must be a PIL image, an array or a tensor, got {type(image).__name__}"
            )
        top, left = (round((side - self.size) / 2) for side in pixels.shape[-2:])
        return pixels[..., top : top + self.size, left : left + self.size]

    def _resized_shape(self, height: int, width: int) -> tuple[int, int]:
        # Rounded down as in timm; the small number absorbs the rounding of 224 / (224 / 236).
        length = int(self.size / self.crop + 1e-6)
        if self.square:
            return length, length
        if height <= width:
            return length, int(length * width / height)
        return int(length * height / width), length

    def _resize_pil(self, image: Image) -> Tensor:
        import numpy as np  # optional: only where Pillow and NumPy are installed
        from PIL.Image import Resampling

        height, width = self._resized_shape(image.height, image.width)
        resampling = Resampling[self.interpolation.upper()]
        resized = image.convert("RGB").resize((width, height), resampling)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1)[None]

    def _resize_tensor(self, image: Tensor) -> Tensor:
        if image.dtype != torch.uint8:
            raise TypeError(f"an image must have the dtype uint8, got {image.dtype}")
        if image.ndim not in (3, 4) or image.shape[-3] != 3:
            raise ValueError(
                "an image must have 3 channels: (3, H, W) or (N, 3, H, W) for a tensor, "
                f"(H, W, 3) or (N, H, W, 3) for an array; got channels first {tuple(image.shape)}"
            )
        pixels = image if image.ndim == 4 else image[None]
        shape = self._resized_shape(*pixels.shape[-2:])
        if shape == pixels.shape[-2:]:
            return pixels
        resized = F.interpolate(
            pixels.float(), shape, mode=self.interpolation, align_corners=False, antialias=True
        )
        return resized.clamp(0, 255).round().to(torch.uint8)


IMAGENET = Preprocessing()
PYCLS = Preprocessing(
    mean=(103.53, 116.28, 123.675), std=(57.375, 57.12, 58.395), channel_order="BGR"
)
