"""Residual blocks of the ResNets and their descendants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict, Unpack

from brickwork_base import BaseModule
from brickwork_layers import build_conv_layer, build_norm_layer
from brickwork_modules import build_plugin_layer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from brickwork_models._typing import Config, InitConfig
from brickwork_models.errors import ArchitectureError, UnsupportedOptionError

BN: Config = {"type": "BN"}
PLUGIN_POSITIONS = ("after_conv1", "after_conv2", "after_conv3")
STYLES = ("pytorch", "caffe")


class BlockOptions(TypedDict, total=False):
    """Keyword arguments of every residual block.

    Attributes:
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        dcn: Config of the 3x3 convolution of a bottleneck, such as ``dict(type="DCNv2")``, instead
            of ``conv_cfg``. With ``fallback_on_stride=True`` a strided one stays as it is.
        plugins: Layers to insert into the block, each
            ``dict(cfg=dict(type=...), position="after_conv1" | "after_conv2" | "after_conv3")``.
        zero_init_last: Whether ``init_weights()`` fills the weight of the last norm with 0, so
            that the block starts as the identity.
        init_cfg: Initializers that ``init_weights()`` applies.
    """

    conv_cfg: Config | None
    norm_cfg: Config | None
    dcn: Config | None
    plugins: Sequence[Config] | None
    zero_init_last: bool
    init_cfg: InitConfig | None


class ResidualBlock(BaseModule):
    """Base class of the residual blocks: shortcut, plugins, activation checkpointing, norm names.

    A subclass adds its layers with :meth:`_add_conv`, defines its branch in :meth:`_branch`
    and ends its constructor with :meth:`_add_shortcut`.

    Args:
        stride: Stride of the block.
        dilation: Dilation of its 3x3 convolutions.
        style: Which convolution of a bottleneck has the stride: ``"pytorch"`` the 3x3 one,
            ``"caffe"`` the first.
        with_cp: Whether activations are recomputed in the backward pass instead of stored.
        **options: See :class:`BlockOptions`.
    """

    expansion: ClassVar[int] = 1
    """Output channels per plane."""

    takes_dcn: ClassVar[bool] = False
    """Whether the option ``dcn`` applies to the block."""

    conv1: nn.Module
    conv2: nn.Module
    conv3: nn.Module
    norm1_name: str
    norm2_name: str
    norm3_name: str

    def __init__(
        self,
        stride: int,
        dilation: int,
        style: str,
        with_cp: bool,
        **options: Unpack[BlockOptions],
    ) -> None:
        super().__init__(options.get("init_cfg"))
        if style not in STYLES:
            raise ArchitectureError(type(self).__name__, "style", style, STYLES)
        if options.get("dcn") is not None and not self.takes_dcn:
            raise UnsupportedOptionError(
                f"dcn in a {type(self).__name__}",
                "only the bottlenecks of ResNet and ResNeXt take it; use a depth of 50 or more",
            )
        self.stride, self.dilation, self.style, self.with_cp = stride, dilation, style, with_cp
        self.conv_cfg = options.get("conv_cfg")
        self.norm_cfg = options.get("norm_cfg") or BN
        self.plugin_names: dict[str, tuple[str, ...]] = dict.fromkeys(PLUGIN_POSITIONS, ())
        self._plugins = tuple(options.get("plugins") or ())
        self._zero_init_last = options.get("zero_init_last", False)

    def _add_conv(
        self,
        number: int,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        cfg: Config | None = None,
        **arguments: Any,
    ) -> None:
        """Add convolution ``number`` and its norm; ``cfg`` replaces the block's config."""
        conv = build_conv_layer(
            cfg or self.conv_cfg, in_channels, out_channels, kernel_size=kernel_size, bias=False,
            **arguments,
        )  # fmt: skip
        self.add_module(f"conv{number}", conv)
        name, norm = build_norm_layer(self.norm_cfg, out_channels, postfix=number)
        self.add_module(name, norm)
        setattr(self, f"norm{number}_name", name)

    def _add_plugins(self, channels: dict[str, int]) -> None:
        """Add the plugins in the order of their positions.

        Args:
            channels: Number of channels at each allowed position.
        """
        family = type(self).__name__
        for plugin in self._plugins:
            position = plugin.get("position")
            if position not in channels:
                raise ArchitectureError(family, "plugin position", position, tuple(channels))
        for plugin in sorted(self._plugins, key=lambda p: PLUGIN_POSITIONS.index(p["position"])):
            position = plugin["position"]
            cfg = dict(plugin["cfg"])
            postfix = cfg.pop("postfix", "")
            name, layer = build_plugin_layer(cfg, postfix, in_channels=channels[position])
            if hasattr(self, name):
                allowed = "unique (set a different postfix for each plugin)"
                raise ArchitectureError(family, "plugin name", name, allowed)
            self.add_module(name, layer)
            self.plugin_names[position] += (name,)

    def _add_shortcut(self, downsample: nn.Module | None, last_norm: str) -> None:
        """Add the shortcut, and let the block start as the identity if asked."""
        self.relu = nn.ReLU(inplace=True)
        self.downsample = downsample
        if self._zero_init_last and self.init_cfg is None:
            self.init_cfg = {"type": "Constant", "val": 0, "override": {"name": last_norm}}

    def _norm(self, number: int, x: Tensor) -> Tensor:
        out: Tensor = getattr(self, getattr(self, f"norm{number}_name"))(x)
        return out

    def _plug(self, position: str, x: Tensor) -> Tensor:
        for name in self.plugin_names[position]:
            x = getattr(self, name)(x)
        return x

    def _branch(self, x: Tensor) -> Tensor:
        """Compute the residual that is added to the shortcut."""
        raise NotImplementedError

    def _add_residual(self, x: Tensor) -> Tensor:
        out = self._branch(x)
        out += x if self.downsample is None else self.downsample(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, planes * expansion, H / stride, W / stride)``."""
        if self.with_cp and x.requires_grad:
            out = checkpoint(self._add_residual, x, use_reentrant=False)
        else:
            out = self._add_residual(x)
        activated: Tensor = self.relu(out)
        return activated


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions and a shortcut: the block of ResNet-18 and -34.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385.

    Args:
        inplanes: Number of input channels.
        planes: Number of output channels.
        stride: Stride of the first convolution.
        dilation: Dilation of the first convolution.
        downsample: Module that maps the input to the shape of the output.
        style: No effect here; see :class:`Bottleneck`.
        with_cp: Whether activations are recomputed in the backward pass.
        **options: See :class:`BlockOptions`; this block takes no plugins.
    """

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        style: str = "pytorch",
        with_cp: bool = False,
        **options: Unpack[BlockOptions],
    ) -> None:
        super().__init__(stride, dilation, style, with_cp, **options)
        if options.get("plugins"):
            raise UnsupportedOptionError(
                "plugins in a BasicBlock",
                "only bottlenecks take plugins; use a depth of 50 or more",
            )
        self._add_conv(1, inplanes, planes, 3, stride=stride, padding=dilation, dilation=dilation)
        self._add_conv(2, planes, planes, 3, padding=1)
        self._add_shortcut(downsample, self.norm2_name)

    def _branch(self, x: Tensor) -> Tensor:
        out = self.relu(self._norm(1, self.conv1(x)))
        return self._norm(2, self.conv2(out))


class BottleneckBase(ResidualBlock):
    """Base class of the bottlenecks: a 1x1 convolution, inner layers, a 1x1 convolution."""

    expansion = 4

    def _inner(self, x: Tensor) -> Tensor:
        """Run the layers between the two 1x1 convolutions."""
        raise NotImplementedError

    def _branch(self, x: Tensor) -> Tensor:
        out = self._plug("after_conv1", self.relu(self._norm(1, self.conv1(x))))
        out = self._plug("after_conv2", self._inner(out))
        return self._plug("after_conv3", self._norm(3, self.conv3(out)))

    def _strides(self) -> tuple[int, int]:
        """Return the strides of the first 1x1 convolution and of the inner layers."""
        return (1, self.stride) if self.style == "pytorch" else (self.stride, 1)

    def _add_shortcut_and_plugins(
        self, downsample: nn.Module | None, inner_channels: int, out_channels: int
    ) -> None:
        self._add_shortcut(downsample, self.norm3_name)
        channels = (inner_channels, inner_channels, out_channels)
        self._add_plugins(dict(zip(PLUGIN_POSITIONS, channels, strict=True)))


class Bottleneck(BottleneckBase):
    """A 1x1, a 3x3 and a 1x1 convolution and a shortcut: the block of ResNet-50 and deeper.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385; with ``groups`` it
    is the block of "Aggregated Residual Transformations", arXiv:1611.05431.

    Args:
        inplanes: Number of input channels.
        planes: Number of output channels divided by 4.
        stride: Stride of the block.
        dilation: Dilation of the 3x3 convolution.
        downsample: Module that maps the input to the shape of the output.
        style: Which convolution has the stride: ``"pytorch"`` the 3x3 one, ``"caffe"`` the first.
        with_cp: Whether activations are recomputed in the backward pass.
        groups: Groups of the 3x3 convolution.
        width: Channels of the 3x3 convolution; ``planes`` by default.
        **options: See :class:`BlockOptions`.
    """

    takes_dcn = True

    def __init__(
        self,
        inplanes: int,
        planes: int,
        stride: int = 1,
        dilation: int = 1,
        downsample: nn.Module | None = None,
        style: str = "pytorch",
        with_cp: bool = False,
        *,
        groups: int = 1,
        width: int | None = None,
        **options: Unpack[BlockOptions],
    ) -> None:
        super().__init__(stride, dilation, style, with_cp, **options)
        width, outplanes = width or planes, planes * self.expansion
        first_stride, inner_stride = self._strides()
        self._add_conv(1, inplanes, width, 1, stride=first_stride)
        self._add_conv(
            2,
            width,
            width,
            3,
            _dcn_config(options.get("dcn"), inner_stride),
            stride=inner_stride,
            groups=groups,
            padding=dilation,
            dilation=dilation,
        )
        self._add_conv(3, width, outplanes, 1)
        self._add_shortcut_and_plugins(downsample, width, outplanes)

    def _inner(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self._norm(2, self.conv2(x)))
        return out


def _dcn_config(dcn: Config | None, stride: int) -> Config | None:
    """Return the config of a deformable convolution; ``None`` for a plain one."""
    if dcn is None:
        return None
    cfg = dict(dcn)
    fallback_on_stride = cfg.pop("fallback_on_stride", False)
    return None if fallback_on_stride and stride > 1 else cfg
