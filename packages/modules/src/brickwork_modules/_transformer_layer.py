"""Transformer layer: attentions, norms and feed-forward networks in any order."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from brickwork_base import BaseModule, ModuleList
from brickwork_layers import build_norm_layer
from brickwork_registry.errors import ArgumentValueError
from torch import Tensor

from ._build import build_attention, build_feedforward_network
from ._registries import TRANSFORMER_LAYER
from ._typing import Config

_OPERATIONS = ("self_attn", "norm", "ffn", "cross_attn")
_RENAMED = {
    "feedforward_channels": "feedforward_channels",
    "ffn_dropout": "ffn_drop",
    "ffn_num_fcs": "num_fcs",
}
_FFN: Config = {
    "type": "FFN",
    "embed_dims": 256,
    "feedforward_channels": 1024,
    "num_fcs": 2,
    "ffn_drop": 0.0,
    "act_cfg": {"type": "ReLU", "inplace": True},
}


@TRANSFORMER_LAYER.register_module()
class BaseTransformerLayer(BaseModule):
    """Attentions, norms and feed-forward networks in a configurable order.

    If ``'norm'`` comes first, the residual connections bypass the norms (pre-norm; Xiong et al.,
    "On Layer Normalization in the Transformer Architecture", https://arxiv.org/abs/2002.04745).

    Args:
        attn_cfgs: Config of all attentions, or a list with one for each.
        ffn_cfgs: Config of all feed-forward networks, or a list with one for each.
        operation_order: Sequence of ``'self_attn'``, ``'cross_attn'``, ``'norm'`` and ``'ffn'``
            with at least one attention.
        norm_cfg: Config of all norms.
        init_cfg: Config of the initialization.
        batch_first: Whether tensors are (N, L, C) instead of (L, N, C).
        **kwargs: Deprecated: the keys ``feedforward_channels``, ``ffn_dropout`` and
            ``ffn_num_fcs`` of `ffn_cfgs`. Others are ignored with a warning.

    Raises:
        ValueError: If `operation_order` is missing or invalid, the number of configs is not that
            of the operations, or a config contradicts ``batch_first`` or ``embed_dims``.

    Example:
        >>> layer = BaseTransformerLayer(
        ...     attn_cfgs=dict(type='MultiheadAttention', embed_dims=8, num_heads=2),
        ...     ffn_cfgs=dict(type='FFN', feedforward_channels=16),
        ...     operation_order=('self_attn', 'norm', 'ffn', 'norm'))
        >>> layer(torch.ones(5, 1, 8)).shape
        torch.Size([5, 1, 8])
    """

    def __init__(
        self,
        attn_cfgs: Config | Sequence[Config] | None = None,
        ffn_cfgs: Config | Sequence[Config] = _FFN,
        operation_order: Sequence[str] | None = None,
        norm_cfg: Config = {"type": "LN"},  # noqa: B006  (mmcv's default, never changed)
        init_cfg: Any = None,
        batch_first: bool = False,
        **kwargs: Any,
    ) -> None:
        name = type(self).__name__
        ffn_cfgs = _merge_deprecated(name, ffn_cfgs, kwargs)
        super().__init__(init_cfg)
        order = tuple(operation_order or ())
        if not {"self_attn", "cross_attn"} & {*order} or {*order} - {*_OPERATIONS}:
            raise ArgumentValueError(
                f"operation_order of {name} must be a sequence of {', '.join(_OPERATIONS)} with at "
                f"least one attention, got {operation_order!r}"
            )
        self.batch_first = batch_first
        self.num_attn = order.count("self_attn") + order.count("cross_attn")
        self.operation_order = order
        self.norm_cfg = norm_cfg
        self.pre_norm = order[0] == "norm"

        self.attentions = ModuleList()
        attentions = [operation for operation in order if operation.endswith("_attn")]
        for operation, cfg in zip(
            attentions, _as_list("attn_cfgs", attn_cfgs, self.num_attn), strict=True
        ):
            _check_consistent(cfg, "batch_first", batch_first)
            attention = build_attention({**cfg, "batch_first": batch_first})
            attention.operation_name = operation  # type: ignore[assignment]  # a plain attribute
            self.attentions.append(attention)
        self.embed_dims: int = self.attentions[0].embed_dims  # type: ignore[assignment]  # by contract

        self.ffns = ModuleList()
        for cfg in _as_list("ffn_cfgs", ffn_cfgs, order.count("ffn")):
            _check_consistent(cfg, "embed_dims", self.embed_dims)
            self.ffns.append(
                build_feedforward_network({**cfg, "embed_dims": self.embed_dims}, {"type": "FFN"})
            )
        self.norms = ModuleList(
            [build_norm_layer(norm_cfg, self.embed_dims)[1] for _ in range(order.count("norm"))]
        )

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_masks: Tensor | Sequence[Tensor | None] | None = None,
        query_key_padding_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Run the operations in order.

        Args:
            query: Tensor (L, N, C), or (N, L, C) with `batch_first`; likewise the others.
            key: Key of the cross attentions, (S, N, C).
            value: Value of the cross attentions, (S, N, C).
            query_pos: Positional encoding of `query`.
            key_pos: Positional encoding of `key`.
            attn_masks: Mask (L, S) of all attentions, or a list with one or None for each.
            query_key_padding_mask: Padding mask (N, L) of the self attentions.
            key_padding_mask: Padding mask (N, S) of the cross attentions.
            **kwargs: Passed to the attentions.

        Returns:
            Tensor (L, N, C).

        Raises:
            ValueError: If the number of masks is not that of the attentions.
        """
        if attn_masks is None or isinstance(attn_masks, Tensor):
            if attn_masks is not None and not torch.compiler.is_compiling():
                warnings.warn(
                    f"Use same attn_mask in all attentions in {type(self).__name__}", stacklevel=2
                )
            attn_masks = [attn_masks] * self.num_attn
        elif len(attn_masks) != self.num_attn:
            raise ArgumentValueError(
                f"attn_masks of {type(self).__name__} must have {self.num_attn} masks, one for "
                f"each attention, got {len(attn_masks)}"
            )
        attentions = iter(zip(self.attentions, attn_masks, strict=True))
        norms, ffns = iter(self.norms), iter(self.ffns)
        identity = query
        for operation in self.operation_order:
            if operation == "norm":
                query = next(norms)(query)
            elif operation == "ffn":
                query = next(ffns)(query, identity if self.pre_norm else None)
            else:
                attention, mask = next(attentions)
                is_self = operation == "self_attn"
                query = attention(
                    query,
                    query if is_self else key,
                    query if is_self else value,
                    identity if self.pre_norm else None,
                    query_pos=query_pos,
                    key_pos=query_pos if is_self else key_pos,
                    attn_mask=mask,
                    key_padding_mask=query_key_padding_mask if is_self else key_padding_mask,
                    **kwargs,
                )
                identity = query
        return query


def _merge_deprecated(
    name: str, ffn_cfgs: Config | Sequence[Config], kwargs: Mapping[str, Any]
) -> Config | Sequence[Config]:
    """Add deprecated arguments to `ffn_cfgs`, with a warning, and warn of unknown ones."""
    for old in kwargs:
        if old not in _RENAMED:
            warnings.warn(f"{name} ignores the argument {old!r}", stacklevel=3)
    moved = {_RENAMED[old]: value for old, value in kwargs.items() if old in _RENAMED}
    if not moved:
        return ffn_cfgs
    warnings.warn(
        f"{', '.join(map(repr, moved))} of {name} are deprecated, use 'ffn_cfgs'",
        DeprecationWarning,
        stacklevel=3,
    )
    if isinstance(ffn_cfgs, Mapping):
        return {**ffn_cfgs, **moved}
    return [{**cfg, **moved} for cfg in ffn_cfgs]


def _as_list(name: str, cfgs: Config | Sequence[Config] | None, count: int) -> Sequence[Config]:
    """Return one config for each of `count` operations."""
    if isinstance(cfgs, Mapping):
        return [cfgs] * count
    if cfgs is None or len(cfgs) != count:
        raise ArgumentValueError(
            f"{name} must be a config, or a list of {count} as in operation_order, got {cfgs!r}"
        )
    return cfgs


def _check_consistent(cfg: Config, name: str, value: object) -> None:
    """Raise an error if a config contradicts an argument of the layer."""
    if cfg.get(name, value) != value:
        raise ArgumentValueError(
            f"{name} of {cfg.get('type')} must be that of the layer, {value!r}, got "
            f"{cfg[name]!r}; remove it from the config"
        )
