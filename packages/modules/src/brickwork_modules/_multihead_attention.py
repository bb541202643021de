"""Multi-head attention with a residual connection."""

import warnings
from typing import Any

import torch
from brickwork_base import BaseModule
from brickwork_layers import build_dropout
from torch import Tensor, nn

from ._deprecated import pop_renamed
from ._registries import ATTENTION
from ._typing import Config


@ATTENTION.register_module()
class MultiheadAttention(BaseModule):
    """`torch.nn.MultiheadAttention` with positional encodings, dropout and a residual connection.

    Args:
        embed_dims: Number of channels of the query.
        num_heads: Number of attention heads.
        attn_drop: Dropout probability of the attention weights.
        proj_drop: Dropout probability of the output.
        dropout_layer: Config of the dropout before the residual connection. None means no dropout.
        init_cfg: Config of the initialization.
        batch_first: Whether tensors are (N, L, C) instead of (L, N, C).
        **kwargs: Further arguments of `torch.nn.MultiheadAttention`; the deprecated ``dropout``
            sets `attn_drop` and the probability of `dropout_layer`.

    Example:
        >>> MultiheadAttention(8, 2, batch_first=True)(torch.ones(1, 5, 8)).shape
        torch.Size([1, 5, 8])
    """

    def __init__(
        self,
        embed_dims: int,
        num_heads: int,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        dropout_layer: Config | None = {"type": "Dropout", "drop_prob": 0.0},  # noqa: B006  (mmcv's default, never changed)
        init_cfg: Any = None,
        batch_first: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(init_cfg)
        if "dropout" in kwargs:
            warnings.warn(
                "'dropout' of MultiheadAttention is deprecated, use 'attn_drop', 'proj_drop' and "
                "'dropout_layer'",
                DeprecationWarning,
                stacklevel=2,
            )
            attn_drop = kwargs.pop("dropout")
            if dropout_layer:
                dropout_layer = {**dropout_layer, "drop_prob": attn_drop}
        self.embed_dims = embed_dims
        self.num_heads = num_heads
        self.batch_first = batch_first
        self.attn = nn.MultiheadAttention(embed_dims, num_heads, attn_drop, **kwargs)
        self.proj_drop = nn.Dropout(proj_drop)
        self.dropout_layer = build_dropout(dropout_layer) if dropout_layer else nn.Identity()

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Apply attention and add the residual connection.

        Args:
            query: Tensor (L, N, C), or (N, L, C) with `batch_first`; likewise the others.
            key: Tensor (S, N, C). None means `query`.
            value: Tensor (S, N, C). None means `key`.
            identity: Input of the residual connection, (L, N, C). None means `query`.
            query_pos: Positional encoding added to `query`, (L, N, C).
            key_pos: Positional encoding added to `key`, (S, N, C). None means `query_pos` if it
                has the shape of `key`.
            attn_mask: Mask (L, S), True or minus infinity at positions to ignore.
            key_padding_mask: Mask (N, S), True or minus infinity at keys to ignore.
            **kwargs: Arguments of other operations of a transformer, ignored; ``residual`` is the
                deprecated name of `identity`.

        Returns:
            Tensor (L, N, C).
        """
        if "residual" in kwargs:
            renamed = pop_renamed("MultiheadAttention", kwargs, {"residual": "identity"})
            identity = renamed["identity"]
        key = query if key is None else key
        value = key if value is None else value
        identity = query if identity is None else identity
        if key_pos is None and query_pos is not None:
            if query_pos.shape == key.shape:
                key_pos = query_pos
            elif not torch.compiler.is_compiling():
                warnings.warn(
                    f"{type(self).__name__} got query_pos of shape {tuple(query_pos.shape)} and no "
                    f"key_pos: keys of shape {tuple(key.shape)} get no positional encoding",
                    stacklevel=2,
                )
        if query_pos is not None:
            query = query + query_pos
        if key_pos is not None:
            key = key + key_pos

        if self.batch_first:
            query, key, value = (x.transpose(0, 1) for x in (query, key, value))
        out = self.attn(
            query,
            key,
            value,
            key_padding_mask=key_padding_mask,
            need_weights=False,  # they are not returned, and without them less memory is needed
            attn_mask=attn_mask,
        )[0]
        if self.batch_first:
            out = out.transpose(0, 1)
        result: Tensor = identity + self.dropout_layer(self.proj_drop(out))
        return result
