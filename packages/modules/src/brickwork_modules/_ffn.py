"""The feed-forward network of a transformer."""

from typing import Any

from brickwork_base import BaseModule, Sequential
from brickwork_layers import LayerScale, Linear, build_activation_layer, build_dropout
from brickwork_registry import suggest
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor, nn

from ._deprecated import pop_renamed
from ._registries import FEEDFORWARD_NETWORK
from ._typing import Config

_RENAMED = {"dropout": "ffn_drop", "add_residual": "add_identity"}
_NAMES = (
    "embed_dims",
    "feedforward_channels",
    "num_fcs",
    "act_cfg",
    "ffn_drop",
    "dropout_layer",
    "add_identity",
    "init_cfg",
    "layer_scale_init_value",
)


@FEEDFORWARD_NETWORK.register_module()
class FFN(BaseModule):
    """Linear layers with activations in between, and a residual connection.

    Args:
        embed_dims: Number of channels of input and output.
        feedforward_channels: Number of hidden channels.
        num_fcs: Number of linear layers, at least 2.
        act_cfg: Config of the activation.
        ffn_drop: Dropout probability after each linear layer.
        dropout_layer: Config of the dropout before the residual connection. None means no dropout.
        add_identity: Whether to have a residual connection.
        init_cfg: Config of the initialization.
        layer_scale_init_value: Initial value of a `LayerScale` of the output. 0 means none.
        **kwargs: Deprecated names: ``dropout`` of `ffn_drop`, ``add_residual`` of `add_identity`.

    Raises:
        ValueError: If `num_fcs` is less than 2.
        TypeError: If an argument is unknown.

    Example:
        >>> FFN(8, 32)(torch.ones(1, 5, 8)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        embed_dims: int = 256,
        feedforward_channels: int = 1024,
        num_fcs: int = 2,
        act_cfg: Config = {"type": "ReLU", "inplace": True},  # noqa: B006  (mmcv's default, never changed)
        ffn_drop: float = 0.0,
        dropout_layer: Config | None = None,
        add_identity: bool = True,
        init_cfg: Any = None,
        layer_scale_init_value: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg)
        if kwargs:
            renamed = pop_renamed("FFN", kwargs, _RENAMED)
            ffn_drop = renamed.get("ffn_drop", ffn_drop)
            add_identity = renamed.get("add_identity", add_identity)
            for name in kwargs:
                suggestion = suggest(name, _NAMES)
                raise TypeError(
                    f"FFN has no argument {name!r}{suggestion and f': {suggestion}'}; "
                    f"its arguments are {', '.join(_NAMES)}"
                )
        if num_fcs < 2:
            raise ArgumentValueError(f"num_fcs must be at least 2, got {num_fcs}")
        self.embed_dims = embed_dims
        self.feedforward_channels = feedforward_channels
        self.num_fcs = num_fcs
        self.act_cfg = act_cfg
        self.activate = build_activation_layer(act_cfg)

        channels = [embed_dims] + [feedforward_channels] * (num_fcs - 1)
        self.layers = Sequential(
            *(
                Sequential(
                    Linear(in_channels, feedforward_channels), self.activate, nn.Dropout(ffn_drop)
                )
                for in_channels in channels[:-1]
            ),
            Linear(feedforward_channels, embed_dims),
            nn.Dropout(ffn_drop),
        )
        self.dropout_layer = build_dropout(dropout_layer) if dropout_layer else nn.Identity()
        self.add_identity = add_identity
        self.gamma2 = (
            LayerScale(embed_dims, scale=layer_scale_init_value)
            if layer_scale_init_value > 0
            else nn.Identity()
        )

    def forward(self, x: Tensor, identity: Tensor | None = None, **kwargs: Any) -> Tensor:
        """Apply the network to every position.

        Args:
            x: Tensor ``(*, C)``.
            identity: Input of the residual connection. None means `x`.
            **kwargs: ``residual``, the deprecated name of `identity`.

        Returns:
            Tensor ``(*, C)``.
        """
        if kwargs:
            identity = pop_renamed("FFN", kwargs, {"residual": "identity"}).get(
                "identity", identity
            )
            for name in kwargs:
                raise TypeError(f"FFN.forward has no argument {name!r}")
        output: Tensor = self.dropout_layer(self.gamma2(self.layers(x)))
        if self.add_identity:
            output = (x if identity is None else identity) + output
        return output

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        # mmcv 1.x saves the parameters of the shared activation under both names, 2.x under one.
        for name in self.activate.state_dict():
            saved = state_dict.get(f"{prefix}layers.0.1.{name}")
            if saved is not None:
                state_dict.setdefault(f"{prefix}activate.{name}", saved)
        super()._load_from_state_dict(state_dict, prefix, *args)
