"""Parts of transformers against formulas in plain torch."""

import copy
import warnings

import pytest
import torch
import torch.nn.functional as F
from brickwork_modules import (
    ATTENTION,
    FEEDFORWARD_NETWORK,
    FFN,
    POSITIONAL_ENCODING,
    TRANSFORMER_LAYER,
    TRANSFORMER_LAYER_SEQUENCE,
    AdaptivePadding,
    BaseTransformerLayer,
    MultiheadAttention,
    PatchEmbed,
    PatchMerging,
    TransformerLayerSequence,
    build_attention,
    build_feedforward_network,
    build_positional_encoding,
    build_transformer_layer,
    build_transformer_layer_sequence,
)
from torch import nn

ATTN = dict(type="MultiheadAttention", embed_dims=8, num_heads=2)
NETWORK = dict(type="FFN", embed_dims=8, feedforward_channels=12)
ORDER = ("self_attn", "norm", "cross_attn", "norm", "ffn", "norm")


@pytest.mark.parametrize("padding", ["corner", "same"])
@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation"),
    [
        ((15, 17), 16, 16, 1),
        ((7, 8), 3, 2, 1),
        ((9, 6), 3, 2, 2),
        ((8, 8), 2, 2, 1),
        ((5, 5), 2, 3, 1),
    ],
)
def test_adaptive_padding_covers_the_input(
    padding: str, size, kernel: int, stride: int, dilation: int
) -> None:
    x = torch.ones(1, 1, *size)
    layer = AdaptivePadding(kernel, stride, dilation, padding)
    padded = layer(x)
    covered = F.max_pool2d(padded, kernel, stride, dilation=dilation)
    assert covered.shape[-2:] == tuple(-(-side // stride) for side in size)
    zeros = [p - s for p, s in zip(padded.shape[-2:], size, strict=True)]
    assert layer.get_pad_shape(size) == tuple(zeros)
    top, left = (zeros[0] // 2, zeros[1] // 2) if padding == "same" else (0, 0)
    assert torch.equal(padded[..., top : top + size[0], left : left + size[1]], x)
    with pytest.raises(ValueError, match="'same' or 'corner', got 'around'"):
        AdaptivePadding(padding="around")


def test_patch_embed_equals_a_convolution() -> None:
    embed = PatchEmbed(3, 8, kernel_size=4, stride=None, padding=1, norm_cfg=dict(type="LN"))
    x = torch.randn(2, 3, 10, 14)
    patches, size = embed(x)
    expected = F.conv2d(x, embed.projection.weight, embed.projection.bias, 4, 1)
    assert size == expected.shape[2:]
    expected = F.layer_norm(expected.flatten(2).transpose(1, 2), (8,))
    torch.testing.assert_close(patches, expected)


@pytest.mark.parametrize("padding", ["corner", "same", 0, (1, 2)])
@pytest.mark.parametrize("input_size", [(10, 14), 9])
def test_patch_embed_with_input_size_has_the_output_size(padding, input_size) -> None:
    embed = PatchEmbed(3, 8, kernel_size=4, stride=3, padding=padding, input_size=input_size)
    height, width = (input_size, input_size) if isinstance(input_size, int) else input_size
    assert embed.init_input_size == (height, width)
    assert embed(torch.randn(1, 3, height, width))[1] == embed.init_out_size
    assert PatchEmbed(3, 8).init_out_size is None


def test_patch_merging_concatenates_neighbors() -> None:
    merging = PatchMerging(3, 5, norm_cfg=None)
    x = torch.randn(2, 4 * 6, 3)
    merged, size = merging(x, (4, 6))
    assert size == (2, 3)
    image = x.view(2, 4, 6, 3)
    joined = torch.stack(
        [image[:, 0::2, 0::2], image[:, 0::2, 1::2], image[:, 1::2, 0::2], image[:, 1::2, 1::2]], -1
    )  # (N, rows, columns, C, places)
    torch.testing.assert_close(merged, merging.reduction(joined.reshape(2, 6, 12)))
    with pytest.raises(TypeError, match="input_size"):
        merging(x, 24)
    with pytest.raises(ValueError, match="24 patches, got 4 x 5 = 20"):
        merging(x, (4, 5))


@pytest.mark.parametrize("batch_first", [False, True])
def test_multihead_attention_equals_its_formula(batch_first: bool) -> None:
    layer = MultiheadAttention(8, 2, batch_first=batch_first).eval()
    query, key, pos = torch.randn(5, 3, 8), torch.randn(7, 3, 8), torch.randn(5, 3, 8)
    mask = torch.rand(5, 7) > 0.7
    padding = torch.zeros(3, 7, dtype=torch.bool)
    padding[1, 4:] = True

    def project(index: int, x):
        weight = layer.attn.in_proj_weight.chunk(3)[index]
        return (x @ weight.T).unflatten(2, (2, 4)).permute(1, 2, 0, 3)  # (N, heads, L, D)

    energy = project(0, query + pos) @ project(1, key).mT / 2
    energy = energy.masked_fill(mask | padding[:, None, None], float("-inf"))
    attended = (energy.softmax(-1) @ project(2, key)).permute(2, 0, 1, 3).flatten(2)
    expected = query + layer.attn.out_proj(attended)

    def turned(x):
        return x.transpose(0, 1) if batch_first else x

    actual = layer(
        turned(query),
        turned(key),
        query_pos=turned(pos),
        key_pos=torch.zeros(()),
        attn_mask=mask,
        key_padding_mask=padding,
    )
    torch.testing.assert_close(turned(actual), expected, rtol=1e-4, atol=1e-5)


def test_multihead_attention_uses_query_pos_for_keys_of_the_same_shape() -> None:
    layer = MultiheadAttention(8, 2)
    x, pos = torch.randn(5, 3, 8), torch.randn(5, 3, 8)
    torch.testing.assert_close(layer(x, query_pos=pos), layer(x, query_pos=pos, key_pos=pos))
    key = torch.randn(7, 3, 8)
    with pytest.warns(UserWarning, match=r"keys of shape \(7, 3, 8\) get no positional encoding"):
        layer(x, key, query_pos=pos)


def test_multihead_attention_accepts_deprecated_names() -> None:
    default = dict(type="Dropout", drop_prob=0.0)
    dropout_layer = copy.deepcopy(default)
    with pytest.warns(DeprecationWarning, match="'dropout' of MultiheadAttention"):
        layer = MultiheadAttention(8, 2, dropout=0.3, dropout_layer=dropout_layer)
    assert (layer.attn.dropout, layer.dropout_layer.p, dropout_layer) == (0.3, 0.3, default)
    layer.eval()
    x, identity = torch.randn(5, 3, 8), torch.randn(5, 3, 8)
    with pytest.warns(DeprecationWarning, match="'residual' of MultiheadAttention"):
        actual = layer(x, residual=identity)
    assert torch.equal(actual, layer(x, identity=identity))


def test_ffn_equals_its_formula() -> None:
    layer = FFN(8, 12, num_fcs=3, act_cfg=dict(type="GELU"), layer_scale_init_value=0.5)
    x, identity = torch.randn(5, 3, 8), torch.randn(5, 3, 8)
    first, second, last = layer.layers[0][0], layer.layers[1][0], layer.layers[2]
    out = 0.5 * last(F.gelu(second(F.gelu(first(x)))))
    torch.testing.assert_close(layer(x), x + out)
    torch.testing.assert_close(layer(x, identity), identity + out)
    layer.add_identity = False
    torch.testing.assert_close(layer(x, identity), out)


def test_ffn_loads_the_keys_of_mmcv_2_for_an_activation_with_parameters() -> None:
    saved, loaded = (FFN(8, 12, act_cfg=dict(type="PReLU")) for _ in range(2))
    torch.nn.init.constant_(saved.activate.weight, 0.7)
    state = {key: value for key, value in saved.state_dict().items() if "activate" not in key}
    loaded.load_state_dict(state, strict=True)
    assert "activate.weight" not in state
    x = torch.randn(5, 8)
    assert torch.equal(loaded(x), saved(x))


def test_ffn_accepts_deprecated_names_and_refuses_unknown_ones() -> None:
    with pytest.warns(DeprecationWarning, match="of FFN is deprecated"):
        layer = FFN(8, 12, dropout=0.3, add_residual=False)
    assert layer.layers[-1].p == 0.3
    assert not layer.add_identity
    x = torch.randn(5, 8)
    layer = FFN(8, 12)
    with pytest.warns(DeprecationWarning, match="'residual' of FFN"):
        assert torch.equal(layer(x, residual=2 * x), layer(x, 2 * x))
    with pytest.raises(TypeError, match="no argument 'ffn_dorp': did you mean 'ffn_drop'"):
        FFN(8, 12, ffn_dorp=0.1)
    with pytest.raises(ValueError, match="num_fcs must be at least 2, got 1"):
        FFN(8, 12, num_fcs=1)


@pytest.mark.parametrize("pre_norm", [False, True])
def test_transformer_layer_runs_its_operations_in_order(pre_norm: bool) -> None:
    order = ("norm", "self_attn", "norm", "cross_attn", "norm", "ffn") if pre_norm else ORDER
    layer = BaseTransformerLayer(ATTN, NETWORK, order).eval()
    query, key, pos = torch.randn(5, 3, 8), torch.randn(7, 3, 8), torch.randn(5, 3, 8)
    masks = [torch.rand(5, 5) > 0.7, torch.rand(5, 7) > 0.7]
    for mask in masks:
        mask[:, 0] = False
    key_pos = torch.randn(7, 3, 8)
    (itself, across), (ffn,), norms = layer.attentions, layer.ffns, layer.norms
    if pre_norm:
        x = itself(norms[0](query), identity=query, query_pos=pos, attn_mask=masks[0])
        y = norms[1](x)
        x = across(y, key, key, x, query_pos=pos, key_pos=key_pos, attn_mask=masks[1])
        expected = ffn(norms[2](x), x)
    else:
        x = norms[0](itself(query, query_pos=pos, attn_mask=masks[0]))
        x = across(x, key, key, query_pos=pos, key_pos=key_pos, attn_mask=masks[1])
        expected = norms[2](ffn(norms[1](x)))
    actual = layer(query, key, key, query_pos=pos, key_pos=key_pos, attn_masks=masks)
    torch.testing.assert_close(actual, expected)
    assert layer.pre_norm is pre_norm
    assert [attention.operation_name for attention in layer.attentions] == [
        "self_attn",
        "cross_attn",
    ]


def test_transformer_layer_shares_one_mask_with_a_warning() -> None:
    layer = BaseTransformerLayer(ATTN, NETWORK, ORDER)
    x, mask = torch.randn(5, 3, 8), torch.eye(5) == 0
    with pytest.warns(UserWarning, match="same attn_mask in all attentions"):
        shared = layer(x, x, x, attn_masks=mask)
    torch.testing.assert_close(shared, layer(x, x, x, attn_masks=[mask, mask]))
    with pytest.raises(ValueError, match="2 masks, one for each attention"):
        layer(x, x, x, attn_masks=[mask])


def test_transformer_layer_does_not_modify_configs() -> None:
    attention, network = copy.deepcopy(ATTN), dict(feedforward_channels=12)
    layer = BaseTransformerLayer([attention, attention], [network], ORDER, batch_first=True)
    assert (attention, network) == (ATTN, dict(feedforward_channels=12))
    assert all(attention.batch_first for attention in layer.attentions)
    assert layer.ffns[0].embed_dims == 8


def test_transformer_layer_accepts_deprecated_names() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layer = BaseTransformerLayer(
            ATTN,
            dict(type="FFN"),
            operation_order=ORDER,
            feedforward_channels=20,
            ffn_dropout=0.1,
            ffn_num_fcs=3,
            act_cfg=dict(type="ReLU"),
        )
    ignored, deprecated = (str(warning.message) for warning in caught)
    assert ignored == "BaseTransformerLayer ignores the argument 'act_cfg'"
    assert deprecated.endswith("are deprecated, use 'ffn_cfgs'")
    assert layer.ffns[0].feedforward_channels == 20
    assert layer.ffns[0].num_fcs == 3
    other = BaseTransformerLayer(dict(ATTN, embed_dims=256), operation_order=ORDER)
    assert other.ffns[0].num_fcs == 2  # the default has not changed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(operation_order=None), "operation_order .* got None"),
        (dict(operation_order=("norm", "ffn")), "at least one attention"),
        (dict(operation_order=("self_attn", "fnn")), "'fnn'"),
        (dict(attn_cfgs=[ATTN]), "attn_cfgs must be a config, or a list of 2"),
        (dict(attn_cfgs=None), "attn_cfgs must be"),
        (dict(ffn_cfgs=[NETWORK, NETWORK]), "ffn_cfgs must be a config, or a list of 1"),
        (dict(attn_cfgs=dict(ATTN, batch_first=True)), "batch_first of MultiheadAttention"),
        (dict(ffn_cfgs=dict(NETWORK, embed_dims=9)), "embed_dims of FFN .* 8, got 9"),
    ],
)
def test_transformer_layer_refuses_invalid_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BaseTransformerLayer(
            **{"attn_cfgs": ATTN, "ffn_cfgs": NETWORK, "operation_order": ORDER, **arguments}
        )


def test_transformer_layer_sequence_runs_its_layers_in_order() -> None:
    cfg = dict(type="BaseTransformerLayer", attn_cfgs=ATTN, ffn_cfgs=NETWORK, operation_order=ORDER)
    sequence = TransformerLayerSequence(cfg, 2).eval()
    query, key = torch.randn(5, 3, 8), torch.randn(7, 3, 8)
    expected = sequence.layers[1](sequence.layers[0](query, key, key), key, key)
    torch.testing.assert_close(sequence(query, key, key), expected)
    assert (sequence.embed_dims, sequence.pre_norm) == (8, False)
    with pytest.raises(ValueError, match="num_layers=3"):
        TransformerLayerSequence([cfg, cfg], 3)
    with pytest.raises(ValueError, match="num_layers=None"):
        TransformerLayerSequence(cfg)


def test_init_cfg_initializes_transformers() -> None:
    layer = BaseTransformerLayer(
        ATTN, NETWORK, ORDER, init_cfg=dict(type="Constant", layer="Linear", val=0.5)
    )
    layer.init_weights()
    assert torch.equal(layer.ffns[0].layers[0][0].weight, torch.full((12, 8), 0.5))


def test_builders_build_from_their_registries() -> None:
    assert isinstance(build_attention(ATTN), MultiheadAttention)
    assert isinstance(build_feedforward_network(NETWORK), FFN)
    layer = dict(
        type="BaseTransformerLayer", attn_cfgs=ATTN, ffn_cfgs=NETWORK, operation_order=ORDER
    )
    assert isinstance(build_transformer_layer(layer), BaseTransformerLayer)
    sequence = build_transformer_layer_sequence(
        dict(transformerlayers=layer, num_layers=1), dict(type="TransformerLayerSequence")
    )
    assert isinstance(sequence, TransformerLayerSequence)
    with POSITIONAL_ENCODING.override(Embedding=nn.Embedding):
        encoding = build_positional_encoding(
            dict(type="Embedding", num_embeddings=5, embedding_dim=8)
        )
    assert encoding.weight.shape == (5, 8)
    for registry, name in (
        (ATTENTION, "MultiheadAttention"),
        (FEEDFORWARD_NETWORK, "FFN"),
        (TRANSFORMER_LAYER, "BaseTransformerLayer"),
        (TRANSFORMER_LAYER_SEQUENCE, "TransformerLayerSequence"),
    ):
        assert name in registry
