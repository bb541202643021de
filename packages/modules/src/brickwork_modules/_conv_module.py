"""Convolution, norm and activation as one module."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from brickwork_init import constant_init, kaiming_init, unwatched
from brickwork_layers import build_activation_layer, build_conv_layer, build_norm_layer
from torch import Tensor, nn
from torch.jit import is_scripting  # type: ignore[attr-defined]  # public all the same
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.instancenorm import _InstanceNorm

from ._efficient_eval import applies, efficient_conv_bn_eval_forward, folds
from ._explicit_padding import build_explicit_padding
from ._registries import PLUGIN_LAYERS
from ._typing import Config, Order, Size

_STEPS = {"conv", "norm", "act"}

# What the module tells about its convolution under the same names.
_OF_CONV = (
    "in_channels",
    "out_channels",
    "kernel_size",
    "stride",
    "dilation",
    "transposed",
    "output_padding",
    "groups",
)


@PLUGIN_LAYERS.register_module()
class ConvModule(nn.Module):
    """A convolution, a norm and an activation, each from its config.

    The layers are kept as ``conv``, the norm under the name of its kind (``bn``, ``gn``, ``in``,
    ...; also reached as ``norm``), ``activate``, and ``padding_layer`` where the padding is a
    layer of its own. Each may be replaced, for example by `torch.nn.Identity`.

    Weights of the convolution are drawn by He's rule for the activation, those of the norm are
    1 and its bias 0; a convolution that has ``init_weights()`` is left to it.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Size of the window.
        stride: Step of the window.
        padding: Added on each side.
        dilation: Distance between the kernel's elements.
        groups: Number of groups of channels that do not mix.
        bias: Whether the convolution has a bias; ``'auto'``: where there is no norm.
        conv_cfg: Config of the convolution. None stands for ``dict(type='Conv2d')``.
        norm_cfg: Config of the norm. None: no norm.
        act_cfg: Config of the activation. None: no activation.
        inplace: Whether the activation overwrites its input, where it can and `act_cfg` does not
            say. Where it comes first in `order`, that is the input of the module.
        with_spectral_norm: Whether to divide the weight by its largest singular value
            (`torch.nn.utils.spectral_norm`).
        padding_mode: ``'zeros'``, or what `brickwork_layers.PADDING_LAYERS` has: ``'reflect'``,
            ``'replicate'``, ``'circular'``, ...
        order: The order of the layers.
        efficient_conv_bn_eval: Whether a batch norm in eval mode is folded into the convolution
            before it in each forward (see `turn_on_efficient_conv_bn_eval`).

    Raises:
        TypeError: If a config is no dict.
        ValueError: If `order` is not an order of the three layers, or `bias` or `padding` is an
            unknown word.

    Example:
        >>> block = ConvModule(3, 8, 3, norm_cfg=dict(type='BN'), act_cfg=dict(type='GELU'))
        >>> [name for name, _ in block.named_children()]
        ['conv', 'bn', 'activate']
    """

    _abbr_ = "conv_block"

    # For `torch.jit.script`: what the compiler may branch on, and what it cannot look at.
    __constants__ = ("order", "norm_name", "with_norm", "with_activation")
    __jit_ignored_attributes__ = (
        "conv_cfg",
        "norm_cfg",
        "act_cfg",
        "efficient_conv_bn_eval_forward",
    )
    __jit_unused_properties__ = ("norm",)

    if TYPE_CHECKING:  # `torch.jit.script` would want to compile each of these types
        conv: nn.Module
        conv_cfg: Config | None
        norm_cfg: Config | None
        act_cfg: Config | None
        inplace: bool
        with_spectral_norm: bool
        with_explicit_padding: bool
        with_norm: bool
        with_activation: bool
        with_bias: bool
        order: Order
        norm_name: str | None
        in_channels: int
        out_channels: int
        kernel_size: tuple[int, ...]
        stride: tuple[int, ...]
        padding: Size | str
        dilation: tuple[int, ...]
        transposed: bool
        output_padding: tuple[int, ...]
        groups: int
        efficient_conv_bn_eval_forward: Callable[[_BatchNorm, _ConvNd, Tensor], Tensor] | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size | str = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool | str = "auto",
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        act_cfg: Config | None = {"type": "ReLU"},  # noqa: B006  (mmcv's default, never changed)
        inplace: bool = True,
        with_spectral_norm: bool = False,
        padding_mode: str = "zeros",
        order: Order = ("conv", "norm", "act"),
        efficient_conv_bn_eval: bool = False,
    ) -> None:
        super().__init__()
        if len(order) != 3 or {*order} != _STEPS:
            raise ValueError(
                f"order must hold 'conv', 'norm' and 'act', each once, but got {order!r}"
            )
        if isinstance(bias, str):
            if bias != "auto":
                raise ValueError(f"bias must be True, False or 'auto', but got {bias!r}")
            bias = norm_cfg is None
        explicit_padding = padding_mode != "zeros"

        conv = build_conv_layer(
            conv_cfg,
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=0 if explicit_padding else padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        # At once and past `nn.Module.__setattr__`, which would take a third of the time to build
        # a small module to find out that none of this is a parameter, a buffer or a module.
        vars(self).update(
            {name: getattr(conv, name) for name in _OF_CONV},
            conv_cfg=conv_cfg,
            norm_cfg=norm_cfg,
            act_cfg=act_cfg,
            inplace=inplace,
            with_spectral_norm=with_spectral_norm,
            with_explicit_padding=explicit_padding,
            with_norm=norm_cfg is not None,
            with_activation=act_cfg is not None,
            with_bias=bias,
            order=tuple(order),
            padding=padding,
            norm_name=None,
            efficient_conv_bn_eval_forward=None,
        )
        if explicit_padding:
            self.padding_layer = build_explicit_padding(padding_mode, padding, conv)  # type: ignore[arg-type]  # it has what is looked at
        self.conv = nn.utils.spectral_norm(conv) if with_spectral_norm else conv

        if norm_cfg is not None:
            after_conv = order.index("norm") > order.index("conv")
            name, norm = build_norm_layer(norm_cfg, out_channels if after_conv else in_channels)
            self.add_module(name, norm)
            vars(self)["norm_name"] = name
            if bias and after_conv and isinstance(norm, _BatchNorm | _InstanceNorm):
                warnings.warn("Unnecessary conv bias before batch/instance norm", stacklevel=2)
        if efficient_conv_bn_eval:
            self.turn_on_efficient_conv_bn_eval()

        if act_cfg is not None:
            self.activate = build_activation_layer(act_cfg, inplace=inplace)

        self.init_weights()

    @staticmethod
    def create_from_conv_bn(
        conv: _ConvNd, bn: _BatchNorm, efficient_conv_bn_eval: bool = True
    ) -> ConvModule:
        """Make a module of a convolution and a batch norm that there are already.

        Args:
            conv: The convolution; its weights stay as they are.
            bn: The batch norm after it; likewise.
            efficient_conv_bn_eval: See `turn_on_efficient_conv_bn_eval`.

        Returns:
            The module, without activation.
        """
        module = ConvModule.__new__(ConvModule)
        nn.Module.__init__(module)
        vars(module).update(
            {name: getattr(conv, name) for name in _OF_CONV},
            conv_cfg=None,
            norm_cfg=None,
            act_cfg=None,
            inplace=False,
            with_spectral_norm=False,
            with_explicit_padding=False,
            with_norm=True,
            with_activation=False,
            with_bias=conv.bias is not None,
            order=("conv", "norm", "act"),
            padding=conv.padding,
            norm_name="bn",
            efficient_conv_bn_eval_forward=None,
            training=bn.training,
        )
        module.conv = conv
        module.bn = bn
        module.turn_on_efficient_conv_bn_eval(efficient_conv_bn_eval)
        return module

    @property
    def norm(self) -> nn.Module | None:
        """The norm, if there is one."""
        return None if self.norm_name is None else getattr(self, self.norm_name)

    def __getstate__(self) -> dict[str, Any]:
        weight = vars(self.conv).get("weight")
        if isinstance(weight, Tensor):
            # Spectral norm leaves its last result, with its graph, which cannot be copied.
            vars(self.conv)["weight"] = weight.detach()
        return vars(self)

    @unwatched  # all that it writes, it writes by functions that keep the record themselves
    def init_weights(self) -> None:
        """Draw the convolution's weights by He's rule; set the norm's to 1 and its bias to 0."""
        layers: Any = self._modules
        conv, activation = layers["conv"], layers.get("activate")
        if not hasattr(type(conv), "init_weights"):  # else it knows better how to draw them
            if isinstance(activation, nn.LeakyReLU):
                kaiming_init(conv, a=activation.negative_slope, nonlinearity="leaky_relu")
            else:
                kaiming_init(conv)
        if self.with_norm:
            constant_init(layers[self.norm_name], 1, bias=0)

    def turn_on_efficient_conv_bn_eval(self, efficient_conv_bn_eval: bool = True) -> None:
        """Fold the batch norm, in eval mode, into the convolution before it in each forward.

        The same result in one layer's time and memory; parameters and gradients stay those of
        both layers. It does nothing where the norm is no batch norm right after a plain
        convolution.

        Args:
            efficient_conv_bn_eval: False turns it off.
        """
        follows = self.order.index("norm") == self.order.index("conv") + 1
        self.efficient_conv_bn_eval_forward = (
            efficient_conv_bn_eval_forward
            if efficient_conv_bn_eval and follows and folds(self.conv, self.norm)
            else None
        )

    def forward(self, x: Tensor, activate: bool = True, norm: bool = True) -> Tensor:
        """Run the layers in their order.

        Args:
            x: Tensor (N, C_in, ...).
            activate: Whether to run the activation.
            norm: Whether to run the norm.

        Returns:
            Tensor (N, C_out, ...).
        """
        if is_scripting():
            x = self._forward_scripted(x, activate, norm)
        else:
            # Found here, a layer costs a dict's lookup; as an attribute, a failed one and a call.
            layers: Any = self._modules
            for step in self.order:
                if step == "conv":
                    if self.with_explicit_padding:
                        x = layers["padding_layer"](x)
                    efficient = self.efficient_conv_bn_eval_forward if norm else None
                    if efficient is not None and self.with_norm and applies(layers[self.norm_name]):
                        x = efficient(layers[self.norm_name], layers["conv"], x)
                        norm = False
                    else:
                        x = layers["conv"](x)
                elif step == "norm":
                    if norm and self.with_norm:
                        x = layers[self.norm_name](x)
                elif activate and self.with_activation:
                    x = layers["activate"](x)
        return x

    def _forward_scripted(self, x: Tensor, activate: bool, norm: bool) -> Tensor:
        """What `forward` does, as `torch.jit.script` can read it: it unrolls these loops."""
        for step in self.order:
            for name, layer in self.named_children():
                if step == "conv":
                    if name == "padding_layer" or name == "conv":
                        x = layer(x)
                elif step == "norm":
                    if self.with_norm:  # noqa: SIM102  (without a norm, the next line is no code)
                        if norm and name == self.norm_name:
                            x = layer(x)
                elif activate and self.with_activation and name == "activate":
                    x = layer(x)
        return x
