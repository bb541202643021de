"""The feed-forward network of a transformer."""

from typing import Any

from brickwork_base import BaseModule, Sequential
from brickwork_layers import LayerScale, Linear, build_activation_layer, build_dropout
from brickwork_registry import suggest
from torch import Tensor, nn

from ._deprecated import renamed
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
    """Linear maps with an activation between, and a residual connection.

    Args:
        embed_dims: Channels of the input, and of the output.
        feedforward_channels: Channels inside.
        num_fcs: Number of linear maps, at least 2.
        act_cfg: Config of the activation.
        ffn_drop: Probability to drop an element after each linear map.
        dropout_layer: Config of the dropout before the residual connection. None: no dropout.
        add_identity: Whether there is a residual connection.
        init_cfg: Config of the initialisation.
        layer_scale_init_value: First value of a `LayerScale` of the result; 0: none.
        **kwargs: ``dropout`` and ``add_residual``, deprecated: `ffn_drop` and `add_identity`.

    Raises:
        ValueError: If `num_fcs` is below 2.
        TypeError: If there is another argument.

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
            old = renamed("FFN", kwargs, _RENAMED)
            ffn_drop = old.get("ffn_drop", ffn_drop)
            add_identity = old.get("add_identity", add_identity)
            for name in kwargs:
                raise TypeError(
                    f"FFN got an unexpected argument {name!r}; {suggest(name, _NAMES)} "
                    f"(it takes {', '.join(_NAMES)})"
                )
        if num_fcs < 2:
            raise ValueError(f"num_fcs must be at least 2, but got {num_fcs}")
        self.embed_dims = embed_dims
        self.feedforward_channels = feedforward_channels
        self.num_fcs = num_fcs
        self.act_cfg = act_cfg
        self.activate = build_activation_layer(act_cfg)

        channels = [embed_dims] + [feedforward_channels] * (num_fcs - 1)
        self.layers = Sequential(
            *(
                Sequential(Linear(into, feedforward_channels), self.activate, nn.Dropout(ffn_drop))
                for into in channels[:-1]
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
        """Map every position by itself.

        Args:
            x: Tensor (..., C).
            identity: What to add the result to. None: `x`.
            **kwargs: ``residual``, deprecated: `identity`.

        Returns:
            Tensor of the same shape.
        """
        if kwargs:
            identity = renamed("FFN", kwargs, {"residual": "identity"}).get("identity", identity)
            for name in kwargs:
                raise TypeError(f"FFN.forward got an unexpected argument {name!r}")
        out: Tensor = self.dropout_layer(self.gamma2(self.layers(x)))
        if self.add_identity:
            out = (x if identity is None else identity) + out
        return out
