"""Convolution, norm and activation as one module."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from brickwork_init import constant_init, kaiming_init
from brickwork_layers import build_activation_layer, build_conv_layer, build_norm_layer
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase
from torch.nn.modules.conv import _ConvNd

from ._conv_attributes import ConvAttributes
from ._efficient_eval import applies, efficient_conv_bn_eval_forward, folds
from ._explicit_padding import build_explicit_padding
from ._registries import PLUGIN_LAYERS
from ._typing import Config, Order, Size


@PLUGIN_LAYERS.register_module()
class ConvModule(ConvAttributes, nn.Module):
    """A convolution, a norm and an activation, each built from its config.

    The layers are ``conv``, the norm (``bn``, ``gn``, ``in``, ... by its type; also the property
    ``norm``), ``activate``, and ``padding_layer`` for explicit padding. Each may be replaced.

    Args:
        in_channels: Number of channels of the input.
        out_channels: Number of channels of the output.
        kernel_size: Size of the convolution kernel.
        stride: Stride of the convolution.
        padding: Padding added to both sides of the input.
        dilation: Spacing between kernel elements.
        groups: Number of blocked connections from input to output channels.
        bias: Whether the convolution has a bias; ``'auto'``: if there is no norm.
        conv_cfg: Config of the convolution. None means ``dict(type='Conv2d')``.
        norm_cfg: Config of the norm. None means no norm.
        act_cfg: Config of the activation. None means no activation.
        inplace: Whether the activation overwrites its input, if it can; `act_cfg` has precedence.
        with_spectral_norm: Whether to apply `torch.nn.utils.spectral_norm` to the convolution.
        padding_mode: ``'zeros'``, or a type in `brickwork_layers.PADDING_LAYERS`.
        order: Order of the layers.
        efficient_conv_bn_eval: See `turn_on_efficient_conv_bn_eval`.

    Raises:
        ValueError: If `order` is not an order of the three layers, or `bias` or `padding` unknown.
    """

    _abbr_ = "conv_block"
    conv: Any
    norm_name: str | None = None
    efficient_conv_bn_eval_forward: Any = None

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
        if not isinstance(order, tuple) or sorted(order) != ["act", "conv", "norm"]:
            raise ArgumentValueError(f"order must be a tuple of conv, norm and act, got {order!r}")
        if isinstance(bias, str):
            if bias != "auto":
                raise ValueError(f"bias must be True, False or 'auto', got {bias!r}")
            bias = norm_cfg is None
        conv = build_conv_layer(
            conv_cfg,
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding if padding_mode == "zeros" else 0,
            dilation=dilation,
            groups=groups,
            bias=bias,
        )
        self._copy_attributes(conv)
        self.conv_cfg = conv_cfg
        self.norm_cfg = norm_cfg
        self.act_cfg = act_cfg
        self.inplace = inplace
        self.with_spectral_norm = with_spectral_norm
        self.with_explicit_padding = padding_mode != "zeros"
        self.with_norm = norm_cfg is not None
        self.with_activation = act_cfg is not None
        self.with_bias = bias
        self.order = order
        self.padding = padding
        if self.with_explicit_padding:
            self.padding_layer = build_explicit_padding(padding_mode, padding, conv)  # type: ignore[arg-type]  # by contract
        self.conv = nn.utils.spectral_norm(conv) if with_spectral_norm else conv
        if norm_cfg is not None:
            after_conv = order.index("norm") > order.index("conv")
            channels = out_channels if after_conv else in_channels
            self.norm_name, norm = build_norm_layer(norm_cfg, channels)
            self.add_module(self.norm_name, norm)
            if bias and after_conv and isinstance(norm, _NormBase):
                warnings.warn("Unnecessary conv bias before batch/instance norm", stacklevel=2)
        if act_cfg is not None:
            self.activate = build_activation_layer(act_cfg, inplace=inplace)
        if efficient_conv_bn_eval:
            self.turn_on_efficient_conv_bn_eval()
        self.init_weights()

    @staticmethod
    def create_from_conv_bn(
        conv: _ConvNd, bn: _BatchNorm, efficient_conv_bn_eval: bool = True
    ) -> ConvModule:
        """Create a module without activation from an existing convolution and batch norm."""
        with torch.device("meta"):  # these layers are replaced
            module = ConvModule(1, 1, 1, norm_cfg={"type": "BN"}, act_cfg=None, inplace=False)
        module.conv, module.bn = conv, bn
        module._copy_attributes(conv)
        module.norm_cfg = None
        module.with_bias = conv.bias is not None
        module.padding = conv.padding
        module.training = bn.training
        module.turn_on_efficient_conv_bn_eval(efficient_conv_bn_eval)
        return module

    @property
    def norm(self) -> Any:
        """The norm, or None."""
        return None if self.norm_name is None else getattr(self, self.norm_name)

    def __getstate__(self) -> dict[str, Any]:
        state = vars(self)
        weight = vars(self.conv).get("weight")
        if isinstance(weight, Tensor):  # set by spectral norm; its graph cannot be copied
            conv = copy.copy(self.conv)
            vars(conv)["weight"] = weight.detach()
            state = {**state, "_modules": {**self._modules, "conv": conv}}
        return state

    def init_weights(self) -> None:
        """Initialize a convolution without `init_weights` by `kaiming_init`, and the norm to 1."""
        conv, activation = self.conv, self.activate if self.with_activation else None
        if not hasattr(type(conv), "init_weights"):
            if isinstance(activation, nn.LeakyReLU):
                kaiming_init(conv, a=activation.negative_slope, nonlinearity="leaky_relu")
            else:
                kaiming_init(conv)
        if self.with_norm:
            constant_init(self.norm, 1, bias=0)

    def turn_on_efficient_conv_bn_eval(self, efficient_conv_bn_eval: bool = True) -> None:
        """Enable or disable folding a batch norm in eval mode into the convolution when it runs.

        Results, parameters and gradients stay the same; other norms and orders are left alone.
        """
        self.efficient_conv_bn_eval_forward = None
        follows_conv = self.order.index("norm") == self.order.index("conv") + 1
        if efficient_conv_bn_eval and follows_conv and folds(self.conv, self.norm):
            self.efficient_conv_bn_eval_forward = efficient_conv_bn_eval_forward

    def forward(self, x: Tensor, activate: bool = True, norm: bool = True) -> Tensor:
        """Run the layers in order.

        Args:
            x: Tensor ``(N, C_in, *)``.
            activate: Whether to run the activation.
            norm: Whether to run the norm.

        Returns:
            Tensor ``(N, C_out, *)``.
        """
        for step in self.order:
            if step == "conv":
                if self.with_explicit_padding:
                    x = self.padding_layer(x)
                fold = self.efficient_conv_bn_eval_forward
                if fold is not None and norm and self.with_norm and applies(self.norm):
                    x = fold(self.norm, self.conv, x)
                    norm = False
                else:
                    x = self.conv(x)
            elif step == "norm":
                if norm and self.with_norm:
                    x = self.norm(x)
            elif activate and self.with_activation:
                x = self.activate(x)
        return x
