"""A layer of a transformer, made of attentions, norms and feed-forward networks in any order."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from brickwork_base import BaseModule, ModuleList
from brickwork_layers import build_norm_layer
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
    """Attentions, norms and feed-forward networks, in the order that a config says.

    With ``'norm'`` first, the residual connections go around the norms (Xiong et al., "On Layer
    Normalization in the Transformer Architecture", https://arxiv.org/abs/2002.04745).

    Args:
        attn_cfgs: Config of every attention, or one for each in their order.
        ffn_cfgs: Config of every feed-forward network, or one for each in their order.
        operation_order: ``'self_attn'``, ``'cross_attn'``, ``'norm'`` and ``'ffn'``, as often as
            wanted, with at least one attention.
        norm_cfg: Config of every norm.
        init_cfg: Config of the initialisation.
        batch_first: Whether tensors are (N, L, C); else (L, N, C).
        **kwargs: ``feedforward_channels``, ``ffn_dropout`` and ``ffn_num_fcs``, deprecated: keys
            of `ffn_cfgs`. Others are ignored, with a warning.

    Raises:
        ValueError: If `operation_order` is missing or has another word, if the number of configs
            is not that of the operations, or if they disagree about ``batch_first`` or
            ``embed_dims``.

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
        ffn_cfgs = _with_deprecated(name, ffn_cfgs, kwargs)
        super().__init__(init_cfg)
        order = tuple(operation_order or ())
        if not {"self_attn", "cross_attn"} & {*order} or {*order} - {*_OPERATIONS}:
            raise ValueError(
                f"operation_order of {name} must be made of {', '.join(_OPERATIONS)}, with at "
                f"least one attention, but got {operation_order!r}"
            )
        self.batch_first = batch_first
        self.num_attn = order.count("self_attn") + order.count("cross_attn")
        self.operation_order = order
        self.norm_cfg = norm_cfg
        self.pre_norm = order[0] == "norm"

        self.attentions = ModuleList()
        attentions = [operation for operation in order if operation.endswith("_attn")]
        for operation, cfg in zip(
            attentions, _repeated("attn_cfgs", attn_cfgs, self.num_attn), strict=True
        ):
            _agree(cfg, "batch_first", batch_first)
            attention = build_attention({**cfg, "batch_first": batch_first})
            attention.operation_name = operation  # type: ignore[assignment]  # a plain attribute
            self.attentions.append(attention)
        self.embed_dims: int = self.attentions[0].embed_dims  # type: ignore[assignment]  # by contract

        self.ffns = ModuleList()
        for cfg in _repeated("ffn_cfgs", ffn_cfgs, order.count("ffn")):
            _agree(cfg, "embed_dims", self.embed_dims)
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
        """Run the operations in their order.

        Args:
            query: Tensor (L, N, C), or (N, L, C) with `batch_first`; so all that follow.
            key: Tensor (S, N, C), of the cross attentions.
            value: Tensor (S, N, C), of the cross attentions.
            query_pos: Positional encoding of `query`.
            key_pos: Positional encoding of `key`.
            attn_masks: Mask (L, S) of every attention, or one or None for each in their order.
            query_key_padding_mask: Mask (N, L) of the keys of the self attentions.
            key_padding_mask: Mask (N, S) of the keys of the cross attentions.
            **kwargs: Handed to the attentions.

        Returns:
            Tensor of the shape of `query`.

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
            raise ValueError(
                f"attn_masks must be one for each of the {self.num_attn} attentions of "
                f"{type(self).__name__}, but got {len(attn_masks)}"
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
                itself = operation == "self_attn"
                query = attention(
                    query,
                    query if itself else key,
                    query if itself else value,
                    identity if self.pre_norm else None,
                    query_pos=query_pos,
                    key_pos=query_pos if itself else key_pos,
                    attn_mask=mask,
                    key_padding_mask=query_key_padding_mask if itself else key_padding_mask,
                    **kwargs,
                )
                identity = query
        return query


def _with_deprecated(
    name: str, ffn_cfgs: Config | Sequence[Config], kwargs: Mapping[str, Any]
) -> Config | Sequence[Config]:
    """Put arguments that go into `ffn_cfgs` today there; warn of all."""
    for old in kwargs:
        if old not in _RENAMED:
            warnings.warn(f"{name} ignores the argument {old!r}", stacklevel=3)
    moved = {_RENAMED[old]: value for old, value in kwargs.items() if old in _RENAMED}
    if not moved:
        return ffn_cfgs
    warnings.warn(
        f"{', '.join(map(repr, moved))} of {name} are deprecated, put them into 'ffn_cfgs'",
        DeprecationWarning,
        stacklevel=3,
    )
    if isinstance(ffn_cfgs, Mapping):
        return {**ffn_cfgs, **moved}
    return [{**cfg, **moved} for cfg in ffn_cfgs]


def _repeated(name: str, cfgs: Config | Sequence[Config] | None, count: int) -> Sequence[Config]:
    """One config for each of `count` parts."""
    if isinstance(cfgs, Mapping):
        return [cfgs] * count
    if cfgs is None or len(cfgs) != count:
        raise ValueError(
            f"{name} must be a config or a list of {count}, as operation_order says, but got "
            f"{cfgs!r}"
        )
    return cfgs


def _agree(cfg: Config, name: str, value: object) -> None:
    """Refuse a config that says something else than the layer."""
    if cfg.get(name, value) != value:
        raise ValueError(
            f"{name} of {cfg.get('type')} must be that of the layer, {value!r}, but got "
            f"{cfg[name]!r}; leave it out of the config"
        )
