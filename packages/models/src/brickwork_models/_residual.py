"""Residual blocks and stages: what the ResNets and all that follow them are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypedDict, Unpack

from brickwork_base import BaseModule
from brickwork_layers import build_conv_layer, build_norm_layer
from brickwork_modules import build_plugin_layer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ._typing import Config, InitConfig
from .errors import ArchitectureError, UnsupportedOptionError

BN: Config = {"type": "BN"}
POSITIONS = ("after_conv1", "after_conv2", "after_conv3")
STYLES = ("pytorch", "caffe")


class BlockOptions(TypedDict, total=False):
    """Options that every residual block takes by keyword.

    Attributes:
        conv_cfg: Config of the convolutions.
        norm_cfg: Config of the norms; ``None`` means batch norm.
        plugins: Layers to put into the block, each
            ``dict(cfg=dict(type=...), position="after_conv1" | "after_conv2" | "after_conv3")``.
        zero_init_last: Whether ``init_weights()`` fills the last norm with 0, so that the
            block starts as the identity.
        init_cfg: How ``init_weights()`` fills the weights.
    """

    conv_cfg: Config | None
    norm_cfg: Config | None
    plugins: Sequence[Config] | None
    zero_init_last: bool
    init_cfg: InitConfig | None


class ResidualBlock(BaseModule):
    """What the residual blocks share: shortcut, plugins, recomputation, names of norms.

    A subclass adds its layers with :meth:`_add_conv`, states its branch in :meth:`_branch`
    and ends its constructor with :meth:`_close`.

    Args:
        stride: Stride of the block.
        dilation: Dilation of its 3x3 convolutions.
        style: Where a bottleneck strides: ``"pytorch"`` in its 3x3 convolution, ``"caffe"``
            in its first.
        with_cp: Whether to recompute the block backward instead of keeping its activations.
        **options: See :class:`BlockOptions`.
    """

    expansion: ClassVar[int] = 1
    """Output channels per plane."""

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
        self.stride, self.dilation, self.style, self.with_cp = stride, dilation, style, with_cp
        self.conv_cfg = options.get("conv_cfg")
        self.norm_cfg = options.get("norm_cfg") or BN
        self.plugin_names: dict[str, tuple[str, ...]] = dict.fromkeys(POSITIONS, ())
        self._plugins = tuple(options.get("plugins") or ())
        self._zero_init_last = options.get("zero_init_last", False)

    def _add_conv(self, number: int, inputs: int, outputs: int, kernel: int, **how: Any) -> None:
        """Add convolution ``number`` and its norm, then the plugins that go behind them."""
        conv = build_conv_layer(
            self.conv_cfg, inputs, outputs, kernel_size=kernel, bias=False, **how
        )
        self.add_module(f"conv{number}", conv)
        name, norm = build_norm_layer(self.norm_cfg, outputs, postfix=number)
        self.add_module(name, norm)
        setattr(self, f"norm{number}_name", name)

    def _add_plugins(self, channels: dict[str, int]) -> None:
        """Add the plugins, given the channels at each position, in the order of the positions."""
        for plugin in self._plugins:
            if plugin.get("position") not in channels:
                family, given = type(self).__name__, plugin.get("position")
                raise ArchitectureError(family, "plugin position", given, tuple(channels))
        for plugin in sorted(self._plugins, key=lambda p: POSITIONS.index(p["position"])):
            position = plugin["position"]
            cfg = dict(plugin["cfg"])
            postfix = cfg.pop("postfix", "")
            name, layer = build_plugin_layer(cfg, postfix, in_channels=channels[position])
            if hasattr(self, name):
                raise ArchitectureError(
                    type(self).__name__, "plugin name", name, "unique; give each a postfix"
                )
            self.add_module(name, layer)
            self.plugin_names[position] += (name,)

    def _close(self, downsample: nn.Module | None, last_norm: str) -> None:
        """Add the shortcut and settle the initialisation."""
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
        """Compute what is added to the shortcut."""
        raise NotImplementedError

    def _sum(self, x: Tensor) -> Tensor:
        out = self._branch(x)
        out += x if self.downsample is None else self.downsample(x)
        return out

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, planes * expansion, H / stride, W / stride)``."""
        if self.with_cp and x.requires_grad:
            out = checkpoint(self._sum, x, use_reentrant=False)
        else:
            out = self._sum(x)
        activated: Tensor = self.relu(out)
        return activated


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions and a shortcut: the block of ResNet-18 and -34.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385.

    Args:
        inplanes: Channels that come in.
        planes: Channels that go out.
        stride: Stride of the first convolution.
        dilation: Dilation of the first convolution.
        downsample: What makes the input fit the output.
        style: Without effect here; as in :class:`Bottleneck`.
        with_cp: Whether to recompute the block backward.
        **options: See :class:`BlockOptions`; plugins do not fit into this block.
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
                "plugins in a BasicBlock", "they go into bottlenecks, that is depth 50 and more"
            )
        self._add_conv(1, inplanes, planes, 3, stride=stride, padding=dilation, dilation=dilation)
        self._add_conv(2, planes, planes, 3, padding=1)
        self._close(downsample, self.norm2_name)

    def _branch(self, x: Tensor) -> Tensor:
        out = self.relu(self._norm(1, self.conv1(x)))
        return self._norm(2, self.conv2(out))


class NarrowMiddle(ResidualBlock):
    """The run through a bottleneck: 1x1, whatever is in the middle, 1x1."""

    expansion = 4

    def _middle(self, x: Tensor) -> Tensor:
        """Run the layers between the two 1x1 convolutions."""
        raise NotImplementedError

    def _branch(self, x: Tensor) -> Tensor:
        out = self._plug("after_conv1", self.relu(self._norm(1, self.conv1(x))))
        out = self._plug("after_conv2", self._middle(out))
        return self._plug("after_conv3", self._norm(3, self.conv3(out)))

    def _strides(self) -> tuple[int, int]:
        """Give the strides of the first 1x1 convolution and of the middle."""
        return (1, self.stride) if self.style == "pytorch" else (self.stride, 1)

    def _close_bottleneck(self, downsample: nn.Module | None, inside: int, outside: int) -> None:
        self._close(downsample, self.norm3_name)
        self._add_plugins({"after_conv1": inside, "after_conv2": inside, "after_conv3": outside})


class Bottleneck(NarrowMiddle):
    """A 1x1, a 3x3 and a 1x1 convolution and a shortcut: the block of ResNet-50 and deeper.

    From "Deep Residual Learning for Image Recognition", arXiv:1512.03385; with ``groups`` it
    is the block of "Aggregated Residual Transformations", arXiv:1611.05431.

    Args:
        inplanes: Channels that come in.
        planes: A fourth of the channels that go out.
        stride: Stride of the block.
        dilation: Dilation of the 3x3 convolution.
        downsample: What makes the input fit the output.
        style: ``"pytorch"`` strides in the 3x3 convolution, ``"caffe"`` in the first.
        with_cp: Whether to recompute the block backward.
        groups: Groups of the 3x3 convolution.
        width: Channels of the 3x3 convolution; by default ``planes``.
        **options: See :class:`BlockOptions`.
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
        *,
        groups: int = 1,
        width: int | None = None,
        **options: Unpack[BlockOptions],
    ) -> None:
        super().__init__(stride, dilation, style, with_cp, **options)
        width, outplanes = width or planes, planes * self.expansion
        first, middle = self._strides()
        padded = {"padding": dilation, "dilation": dilation}
        self._add_conv(1, inplanes, width, 1, stride=first)
        self._add_conv(2, width, width, 3, stride=middle, groups=groups, **padded)
        self._add_conv(3, width, outplanes, 1)
        self._close_bottleneck(downsample, width, outplanes)

    def _middle(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self._norm(2, self.conv2(x)))
        return out
