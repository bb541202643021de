"""Upsampling from configs."""

from collections.abc import Callable
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.jit import is_tracing  # type: ignore[attr-defined]  # exported without saying so

from ._build import construct, split
from ._registries import UPSAMPLE_LAYERS
from ._typing import LayerConfig
from ._wrappers import ConvTranspose2d, ConvTranspose3d

_is_tracing: Callable[[], bool] = is_tracing


class PixelShufflePack(nn.Module):
    """Upsample by a convolution to more channels that are then laid out as pixels.

    See Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
    Sub-Pixel Convolutional Neural Network", https://arxiv.org/abs/1609.05158.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        scale_factor: How many times higher and wider the output is.
        upsample_kernel: Size of the convolution's window, odd.
    """

    def __init__(
        self, in_channels: int, out_channels: int, scale_factor: int, upsample_kernel: int
    ) -> None:
        super().__init__()
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.scale_factor = scale_factor
        self.upsample_kernel = upsample_kernel
        self.upsample_conv = nn.Conv2d(
            in_channels,
            out_channels * scale_factor * scale_factor,
            upsample_kernel,
            padding=(upsample_kernel - 1) // 2,
        )
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the weights from Xavier's uniform distribution, set the bias to 0."""
        nn.init.xavier_uniform_(self.upsample_conv.weight)
        if self.upsample_conv.bias is not None:
            nn.init.zeros_(self.upsample_conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H * scale_factor, W * scale_factor).
        """
        x = self.upsample_conv(x)
        if not _is_tracing() and x.shape[0] == 0:
            # The backward pass of torch's pixel shuffle trips over an empty batch.
            r = self.scale_factor
            return x.reshape(0, self.out_channels, x.shape[2] * r, x.shape[3] * r)
        return F.pixel_shuffle(x, self.scale_factor)


_MODES = ("nearest", "bilinear", "linear", "bicubic", "trilinear", "nearest-exact")

UPSAMPLE_LAYERS.register_builtin(
    {
        "nearest": nn.Upsample,
        "bilinear": nn.Upsample,
        "pixel_shuffle": PixelShufflePack,
        "deconv": ConvTranspose2d,
        "deconv3d": ConvTranspose3d,
    },
    overridable={
        **dict.fromkeys(_MODES[2:], nn.Upsample),
        "deconv1d": nn.ConvTranspose1d,
    },
)


def build_upsample_layer(cfg: LayerConfig, *args: Any, **kwargs: Any) -> nn.Module:
    """Build an upsampling layer.

    Args:
        cfg: ``type`` is one of `UPSAMPLE_LAYERS`; the other keys are arguments of its
            constructor. A type that is an interpolation (``'nearest'``, ``'bilinear'``, ...) is
            the mode of `torch.nn.Upsample`.
        *args: More arguments of the constructor.
        **kwargs: The same by name.

    Returns:
        The layer.

    Raises:
        TypeError: If `cfg` is no dict, or an argument does not fit or is given twice.
        KeyError: If `cfg` has no ``type``, or an unknown one.

    Example:
        >>> build_upsample_layer(dict(type='bilinear', scale_factor=2, align_corners=False))
        Upsample(scale_factor=2.0, mode='bilinear')
    """
    factory, options = split(cfg, UPSAMPLE_LAYERS)
    if factory is nn.Upsample and isinstance(cfg["type"], str):
        mode = UPSAMPLE_LAYERS.split_scope_key(cfg["type"])[1]
        if mode in _MODES:
            options["mode"] = mode
    return construct(UPSAMPLE_LAYERS, factory, options, args, kwargs)
