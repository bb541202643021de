"""An encoder or a decoder: layers of a transformer one after another."""

from collections.abc import Mapping, Sequence
from typing import Any

from brickwork_base import BaseModule, ModuleList
from torch import Tensor

from ._build import build_transformer_layer
from ._registries import TRANSFORMER_LAYER_SEQUENCE
from ._typing import Config


@TRANSFORMER_LAYER_SEQUENCE.register_module()
class TransformerLayerSequence(BaseModule):
    """Layers of a transformer one after another.

    Args:
        transformerlayers: Config of every layer, or one for each.
        num_layers: Number of layers, at least 1.
        init_cfg: Config of the initialisation.

    Raises:
        ValueError: If the number of configs is not `num_layers`, or that is below 1.

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
            raise ValueError(
                "transformerlayers must be a config, or a list of num_layers configs, at least "
                f"one, but got {transformerlayers!r} with num_layers={num_layers!r}"
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
        """Run the layers.

        Args:
            query: Tensor (L, N, C), or (N, L, C) of layers with batch_first; so all that follow.
            key: Tensor (S, N, C), of the cross attentions.
            value: Tensor (S, N, C), of the cross attentions.
            query_pos: Positional encoding of `query`.
            key_pos: Positional encoding of `key`.
            attn_masks: As in `BaseTransformerLayer.forward`.
            query_key_padding_mask: Mask (N, L) of the keys of the self attentions.
            key_padding_mask: Mask (N, S) of the keys of the cross attentions.
            **kwargs: Handed to the layers.

        Returns:
            Tensor of the shape of `query`.
        """
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
