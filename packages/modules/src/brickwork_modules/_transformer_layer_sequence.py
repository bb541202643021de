"""Sequence of transformer layers: an encoder or a decoder."""

from collections.abc import Mapping, Sequence
from typing import Any

from brickwork_base import BaseModule, ModuleList
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor

from ._build import build_transformer_layer
from ._registries import TRANSFORMER_LAYER_SEQUENCE
from ._typing import Config


@TRANSFORMER_LAYER_SEQUENCE.register_module()
class TransformerLayerSequence(BaseModule):
    """Sequence of transformer layers.

    Args:
        transformerlayers: Config of all layers, or a list with one for each.
        num_layers: Number of layers, at least 1.
        init_cfg: Config of the initialization.

    Raises:
        ValueError: If `num_layers` is less than 1 or not the number of configs.

    Example:
        >>> attention = dict(type='MultiheadAttention', embed_dims=8, num_heads=2)
        >>> layer = dict(type='BaseTransformerLayer', attn_cfgs=attention,
        ...              ffn_cfgs=dict(type='FFN', feedforward_channels=16),
        ...              operation_order=('self_attn', 'norm', 'ffn', 'norm'))
        >>> len(TransformerLayerSequence(layer, num_layers=2).layers)
        2
    """

    def __init__(
        self,
        transformerlayers: Config | Sequence[Config] | None = None,
        num_layers: int | None = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        if isinstance(transformerlayers, Mapping):
            transformerlayers = [transformerlayers] * (num_layers or 0)
        if not transformerlayers or len(transformerlayers) != num_layers:
            raise ArgumentValueError(
                "transformerlayers must be a config or a list of num_layers configs, at least one, "
                f"got {transformerlayers!r} with num_layers={num_layers!r}"
            )
        self.num_layers = num_layers
        self.layers = ModuleList([build_transformer_layer(cfg) for cfg in transformerlayers])
        self.embed_dims: int = self.layers[0].embed_dims  # type: ignore[assignment]  # by contract
        self.pre_norm: bool = self.layers[0].pre_norm  # type: ignore[assignment]  # by contract

    def forward(
        self,
        query: Tensor,
        key: Tensor | None,
        value: Tensor | None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_masks: Tensor | Sequence[Tensor | None] | None = None,
        query_key_padding_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Run the layers one after another; arguments as of `BaseTransformerLayer.forward`."""
        for layer in self.layers:
            query = layer(
                query,
                key,
                value,
                query_pos=query_pos,
                key_pos=key_pos,
                attn_masks=attn_masks,
                query_key_padding_mask=query_key_padding_mask,
                key_padding_mask=key_padding_mask,
                **kwargs,
            )
        return query
