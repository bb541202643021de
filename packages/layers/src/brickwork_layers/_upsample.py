"""Upsampling layers from configs."""

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from ._build import build_layer, resolve_config
from ._registries import UPSAMPLE_LAYERS, register_builtin
from ._typing import LayerConfig
from ._wrappers import ConvTranspose2d, ConvTranspose3d


class PixelShufflePack(nn.Module):
    """Upsampling by a convolution and a pixel shuffle, which turns channels into pixels.

    See Shi et al., "Real-Time Single Image and Video Super-Resolution Using an Efficient
    Sub-Pixel Convolutional Neural Network", https://arxiv.org/abs/1609.05158.

    Args:
        in_channels: Number of channels of the input.
        out_channels: Number of channels of the output.
        scale_factor: Factor of height and width.
        upsample_kernel: Size of the convolution kernel, odd.
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
        """Initialize the weight with the Xavier uniform distribution and the bias with 0."""
        nn.init.xavier_uniform_(self.upsample_conv.weight)
        if self.upsample_conv.bias is not None:
            nn.init.zeros_(self.upsample_conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample the input.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor ``(N, C_out, H * scale_factor, W * scale_factor)``.
        """
        x = self.upsample_conv(x)
        if x.shape[0] == 0:  # the backward pass of torch's pixel shuffle fails on an empty batch
            r = self.scale_factor
            return x.reshape(0, self.out_channels, x.shape[2] * r, x.shape[3] * r)
        return F.pixel_shuffle(x, self.scale_factor)


_MODES = ("nearest", "bilinear", "linear", "bicubic", "trilinear", "nearest-exact")

register_builtin(
    UPSAMPLE_LAYERS,
    {
        "nearest": nn.Upsample,
        "bilinear": nn.Upsample,
        "pixel_shuffle": PixelShufflePack,
        "deconv": ConvTranspose2d,
        "deconv3d": ConvTranspose3d,
    },
    defaults={
        **dict.fromkeys(_MODES[2:], nn.Upsample),
        "deconv1d": nn.ConvTranspose1d,
    },
)


def build_upsample_layer(cfg: LayerConfig, *args: Any, **kwargs: Any) -> nn.Module:
    """Build an upsampling layer.

    Args:
        cfg: ``type`` is a name in `UPSAMPLE_LAYERS`; the other keys are arguments of the layer.
            An interpolation (``'nearest'``, ``'bilinear'``, ...) is a mode of
            `torch.nn.Upsample`.
        *args: Positional arguments of the layer.
        **kwargs: Keyword arguments of the layer.

    Returns:
        The layer.

    Example:
        >>> build_upsample_layer(dict(type='bilinear', scale_factor=2, align_corners=False))
        Upsample(scale_factor=2.0, mode='bilinear')
    """
    factory, arguments = resolve_config(cfg, UPSAMPLE_LAYERS)
    if factory is nn.Upsample and isinstance(cfg["type"], str):
        mode = UPSAMPLE_LAYERS.split_scope_key(cfg["type"])[1]
        if mode in _MODES:
            arguments["mode"] = mode
    return build_layer(UPSAMPLE_LAYERS, factory, arguments, args, kwargs)
