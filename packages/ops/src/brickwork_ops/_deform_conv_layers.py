"""Deformable convolutions as layers."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ._check import check, pair
from ._deform_conv import deform_conv2d, modulated_deform_conv2d
from ._deprecated import renamed_arguments
from ._typing import Size2d


class _DeformConvBase(nn.Module):
    """The sizes and the weight that all deformable convolutions have.

    The attributes are those of `torch.nn.Conv2d`, for code that inspects a convolution.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2d,
        stride: Size2d,
        padding: Size2d,
        dilation: Size2d,
        groups: int,
        deform_groups: int,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        for channels_name, channels in (
            ("in_channels", in_channels),
            ("out_channels", out_channels),
        ):
            check(
                channels % groups == 0,
                name,
                f"{channels_name} must be divisible by groups, got {channels} and {groups}",
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = pair(name, "kernel_size", kernel_size)
        self.stride = pair(name, "stride", stride)
        self.padding = pair(name, "padding", padding)
        self.dilation = pair(name, "dilation", dilation)
        self.groups = groups
        self.deform_groups = deform_groups
        self.transposed = False
        self.output_padding = (0,)
        self.weight = nn.Parameter(
            torch.empty(out_channels, in_channels // groups, *self.kernel_size)
        )

    def _offset_conv(self, values_per_tap: int) -> nn.Conv2d:
        """Return the convolution that predicts offsets, and masks, from the input."""
        taps = self.kernel_size[0] * self.kernel_size[1]
        return nn.Conv2d(
            self.in_channels,
            self.deform_groups * values_per_tap * taps,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
        )

    def extra_repr(self) -> str:
        """Return the arguments."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding}, dilation={self.dilation}, "
            f"groups={self.groups}, deform_groups={self.deform_groups}, "
            f"bias={getattr(self, 'bias', None) is not None}"
        )


class _RenamesOldKeys(nn.Module):
    """A layer that loads checkpoints from before its version 2.

    There the offsets of ``conv2`` were a layer beside it, ``conv2_offset``.
    """

    _version = 2

    def rename_checkpoint_keys(
        self, state_dict: dict[str, Any], prefix: str, metadata: Mapping[str, Any]
    ) -> None:
        """Rename the keys of an old checkpoint.

        ``load_checkpoint`` calls this with all keys of the checkpoint. `torch.nn.Module` shows a
        layer only those below its own name, so its ``load_state_dict`` cannot rename them.

        Args:
            state_dict: Key -> tensor; it is modified.
            prefix: Name of the layer with a dot behind it.
            metadata: Metadata of the layer, with its version.
        """
        version = metadata.get("version")
        if version is not None and version >= self._version:
            return
        for parameter in ("weight", "bias"):
            new, old = f"{prefix}conv_offset.{parameter}", f"{prefix[:-1]}_offset.{parameter}"
            if new not in state_dict and old in state_dict:
                state_dict[new] = state_dict.pop(old)

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, local_metadata: dict[str, Any], *args: Any
    ) -> None:
        self.rename_checkpoint_keys(state_dict, prefix, local_metadata)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


class DeformConv2d(_DeformConvBase):
    """Deformable convolution (v1), see `deform_conv2d`.

    Args:
        in_channels: Number of channels in the input.
        out_channels: Number of channels in the output.
        kernel_size: Size of the convolving kernel.
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        deform_groups: Number of channel groups that have offsets of their own.
        bias: Must be False; part of mmcv's signature.
        im2col_step: Must divide the batch size if that is larger; part of mmcv's signature.

    Raises:
        OperatorInputError: If `groups` does not divide the channels, or `bias` is true.
    """

    @renamed_arguments("DeformConv2d", deformable_groups="deform_groups")
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2d,
        stride: Size2d = 1,
        padding: Size2d = 0,
        dilation: Size2d = 1,
        groups: int = 1,
        deform_groups: int = 1,
        bias: bool = False,
        im2col_step: int = 32,
    ) -> None:
        check(not bias, type(self).__name__, f"bias must be False, got {bias!r}")
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            deform_groups,
        )
        self.im2col_step = im2col_step
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Initialize the weight from He's uniform distribution."""
        nn.init.kaiming_uniform_(self.weight, nonlinearity="relu")

    def forward(self, x: Tensor, offset: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W).
            offset: Tensor (N, deform_groups * kH * kW * 2, H_out, W_out), as y, x of each tap.

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        return deform_conv2d(
            x,
            offset,
            self.weight,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.deform_groups,
            False,
            self.im2col_step,
        )


class DeformConv2dPack(_RenamesOldKeys, DeformConv2d):
    """Deformable convolution that predicts its own offsets; ``DCN`` in configs.

    Args:
        *args: Arguments of `DeformConv2d`.
        **kwargs: Arguments of `DeformConv2d`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conv_offset = self._offset_conv(2)
        self.init_offset()

    def init_offset(self) -> None:
        """Set the offsets to 0: the layer starts as a plain convolution."""
        _zero(self.conv_offset)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # mmcv's signature
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        return super().forward(x, self.conv_offset(x))


class ModulatedDeformConv2d(_DeformConvBase):
    """Modulated deformable convolution (v2), see `modulated_deform_conv2d`.

    Args:
        in_channels: Number of channels in the input.
        out_channels: Number of channels in the output.
        kernel_size: Size of the convolving kernel.
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        deform_groups: Number of channel groups that have offsets and masks of their own.
        bias: Whether to add a learnable bias to the output.

    Raises:
        OperatorInputError: If `groups` does not divide the channels.
    """

    @renamed_arguments("ModulatedDeformConv2d", deformable_groups="deform_groups")
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size2d,
        stride: Size2d = 1,
        padding: Size2d = 0,
        dilation: Size2d = 1,
        groups: int = 1,
        deform_groups: int = 1,
        bias: bool | str = True,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            deform_groups,
        )
        if bias:
            self.bias = nn.Parameter(torch.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.init_weights()

    def init_weights(self) -> None:
        """Initialize the weight uniformly by its number of inputs, the bias to 0."""
        bound = 1 / math.sqrt(self.in_channels * self.kernel_size[0] * self.kernel_size[1])
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, offset: Tensor, mask: Tensor) -> Tensor:
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W).
            offset: Tensor (N, deform_groups * kH * kW * 2, H_out, W_out), as y, x of each tap.
            mask: Tensor (N, deform_groups * kH * kW, H_out, W_out).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        return modulated_deform_conv2d(
            x,
            offset,
            mask,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
            self.deform_groups,
        )


class ModulatedDeformConv2dPack(_RenamesOldKeys, ModulatedDeformConv2d):
    """Modulated deformable convolution that predicts its own offsets; ``DCNv2`` in configs.

    Args:
        *args: Arguments of `ModulatedDeformConv2d`.
        **kwargs: Arguments of `ModulatedDeformConv2d`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.conv_offset = self._offset_conv(3)
        self.init_weights()

    def init_weights(self) -> None:
        """Initialize as the base class does; offsets to 0 and masks to 1/2."""
        super().init_weights()
        if hasattr(self, "conv_offset"):  # the base class calls this before it exists
            _zero(self.conv_offset)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]  # mmcv's signature
        """Convolve.

        Args:
            x: Tensor (N, C_in, H, W).

        Returns:
            Tensor (N, C_out, H_out, W_out).
        """
        samples = self.conv_offset.out_channels // 3
        offset, mask = self.conv_offset(x).split([2 * samples, samples], dim=1)
        return super().forward(x, offset, mask.sigmoid())


def _zero(conv: nn.Conv2d) -> None:
    """Set weight and bias of a convolution to 0."""
    nn.init.zeros_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
