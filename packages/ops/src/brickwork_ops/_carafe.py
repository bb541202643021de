"""CARAFE: upsampling by predicted kernels, https://arxiv.org/abs/1905.02188."""

import torch.nn.functional as F
from brickwork_init import normal_init, xavier_init
from torch import Tensor, nn

from ._check import check, shape


def carafe(
    features: Tensor, masks: Tensor, kernel_size: int, group_size: int, scale_factor: int
) -> Tensor:
    """Upsample a feature map, each output pixel by a kernel of its own.

    An output pixel is the sum of the k x k pixels around its source, weighted by its mask; pixels
    outside count as 0.

    Args:
        features: Tensor (N, C, H, W).
        masks: Tensor (N, group_size * kernel_size^2, H * scale_factor, W * scale_factor).
        kernel_size: Side k of the kernels, odd.
        group_size: Number of channel groups that have kernels of their own.
        scale_factor: Ratio of the output's sides to the input's.

    Returns:
        Tensor (N, C, H * scale_factor, W * scale_factor).

    Raises:
        OperatorInputError: If shapes or arguments do not fit.
    """
    name = "carafe"
    check(scale_factor >= 1, name, f"scale_factor must be at least 1, got {scale_factor}")
    check(
        kernel_size >= 1 and kernel_size % 2 == 1,
        name,
        f"kernel_size must be odd, got {kernel_size}",
    )
    check(
        features.dim() == 4 and masks.dim() == 4,
        name,
        f"features and masks must have 4 dimensions, got {shape(features)} and {shape(masks)}",
    )
    n, channels, height, width = features.shape
    check(
        channels % group_size == 0,
        name,
        f"group_size must divide the {channels} channels, got {group_size}",
    )
    expected = (n, group_size * kernel_size**2, height * scale_factor, width * scale_factor)
    check(shape(masks) == expected, name, f"masks must have shape {expected}, got {shape(masks)}")

    padding = (kernel_size - 1) // 2
    padded = F.pad(features, (padding,) * 4)
    # (N, groups, k * k, 1, H, scale, W, scale) and (N, groups, C / groups, H, 1, W, 1)
    masks = masks.reshape(
        n, group_size, kernel_size**2, 1, height, scale_factor, width, scale_factor
    )
    out: Tensor | None = None
    for tap in range(kernel_size**2):
        y, x = divmod(tap, kernel_size)
        source = padded[:, :, y : y + height, x : x + width].reshape(
            n, group_size, channels // group_size, height, 1, width, 1
        )
        mask = masks[:, :, tap]
        out = source * mask if out is None else out.addcmul(source, mask)
    assert out is not None
    return out.reshape(n, channels, height * scale_factor, width * scale_factor)


def carafe_naive(
    features: Tensor, masks: Tensor, kernel_size: int, group_size: int, scale_factor: int
) -> Tensor:
    """Compute `carafe`, by its other name in mmcv.

    Args:
        features: Tensor (N, C, H, W).
        masks: Tensor (N, group_size * kernel_size^2, H * scale_factor, W * scale_factor).
        kernel_size: Side of the kernels, odd.
        group_size: Number of channel groups that have kernels of their own.
        scale_factor: Ratio of the output's sides to the input's.

    Returns:
        Tensor (N, C, H * scale_factor, W * scale_factor).
    """
    return carafe(features, masks, kernel_size, group_size, scale_factor)


class CARAFE(nn.Module):
    """CARAFE as a layer without parameters, see `carafe`.

    Args:
        kernel_size: Side of the kernels, odd.
        group_size: Number of channel groups that have kernels of their own.
        scale_factor: Ratio of the output's sides to the input's.
    """

    def __init__(self, kernel_size: int, group_size: int, scale_factor: int) -> None:
        super().__init__()
        for argument, value in (
            ("kernel_size", kernel_size),
            ("group_size", group_size),
            ("scale_factor", scale_factor),
        ):
            check(
                isinstance(value, int),
                type(self).__name__,
                f"{argument} must be an integer, got {value!r}",
            )
        self.kernel_size = kernel_size
        self.group_size = group_size
        self.scale_factor = scale_factor

    def forward(self, features: Tensor, masks: Tensor) -> Tensor:
        """Upsample.

        Args:
            features: Tensor (N, C, H, W).
            masks: Tensor (N, group_size * kernel_size^2, H * scale_factor, W * scale_factor).

        Returns:
            Tensor (N, C, H * scale_factor, W * scale_factor).
        """
        return carafe(features, masks, self.kernel_size, self.group_size, self.scale_factor)


class CARAFENaive(CARAFE):
    """`CARAFE` by its other name in mmcv."""


class CARAFEPack(nn.Module):
    """CARAFE that predicts its kernels from the features; ``carafe`` in configs.

    Args:
        channels: Number of channels in the input.
        scale_factor: Ratio of the output's sides to the input's.
        up_kernel: Side of the predicted kernels, odd.
        up_group: Number of channel groups that have kernels of their own.
        encoder_kernel: Kernel size of the convolution that predicts the kernels.
        encoder_dilation: Dilation of that convolution.
        compressed_channels: Channels to which the features are compressed first.
    """

    def __init__(
        self,
        channels: int,
        scale_factor: int,
        up_kernel: int = 5,
        up_group: int = 1,
        encoder_kernel: int = 3,
        encoder_dilation: int = 1,
        compressed_channels: int = 64,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.scale_factor = scale_factor
        self.up_kernel = up_kernel
        self.up_group = up_group
        self.encoder_kernel = encoder_kernel
        self.encoder_dilation = encoder_dilation
        self.compressed_channels = compressed_channels
        self.channel_compressor = nn.Conv2d(channels, compressed_channels, 1)
        self.content_encoder = nn.Conv2d(
            compressed_channels,
            up_kernel**2 * up_group * scale_factor**2,
            encoder_kernel,
            padding=(encoder_kernel - 1) * encoder_dilation // 2,
            dilation=encoder_dilation,
        )
        self.init_weights()

    def init_weights(self) -> None:
        """Draw the weights from Xavier's uniform distribution, the encoder's almost 0."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                xavier_init(module, distribution="uniform")
        normal_init(self.content_encoder, std=0.001)

    def kernel_normalizer(self, mask: Tensor) -> Tensor:
        """Turn the encoder's output into kernels that sum to 1.

        Args:
            mask: Tensor (N, up_kernel^2 * up_group * scale_factor^2, H, W).

        Returns:
            Tensor (N, up_group * up_kernel^2, H * scale_factor, W * scale_factor).
        """
        mask = F.pixel_shuffle(mask, self.scale_factor)
        n, channels, height, width = mask.shape
        mask = mask.reshape(n, channels // self.up_kernel**2, -1, height, width)
        return F.softmax(mask, dim=2, dtype=mask.dtype).view(n, channels, height, width)

    def feature_reassemble(self, x: Tensor, mask: Tensor) -> Tensor:
        """Upsample with given kernels, see `carafe`.

        Args:
            x: Tensor (N, C, H, W).
            mask: What `kernel_normalizer` returns.

        Returns:
            Tensor (N, C, H * scale_factor, W * scale_factor).
        """
        return carafe(x, mask, self.up_kernel, self.up_group, self.scale_factor)

    def forward(self, x: Tensor) -> Tensor:
        """Upsample.

        Args:
            x: Tensor (N, C, H, W).

        Returns:
            Tensor (N, C, H * scale_factor, W * scale_factor).
        """
        mask = self.content_encoder(self.channel_compressor(x))
        return self.feature_reassemble(x, self.kernel_normalizer(mask))
