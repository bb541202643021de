"""Invalid arguments where mmcv 1.7.2 asserts: the errors are also AssertionErrors."""

import brickwork_layers as layers
import brickwork_modules as modules
import pytest
import torch
from torch import nn

ATTENTION = dict(type="MultiheadAttention", embed_dims=8, num_heads=2)
NETWORK = dict(type="FFN", feedforward_channels=12)
LAYER = dict(
    type="BaseTransformerLayer",
    attn_cfgs=ATTENTION,
    ffn_cfgs=NETWORK,
    operation_order=("self_attn", "norm", "ffn", "norm"),
)


def transformer_layer(**changes: object) -> nn.Module:
    return modules.build_transformer_layer({**LAYER, **changes})


@pytest.mark.parametrize(
    ("call", "builtin"),
    [
        (lambda: layers.build_norm_layer(dict(type="BN"), 3, postfix=1.5), TypeError),
        (lambda: layers.build_norm_layer(dict(type="GN"), 4), TypeError),
        (lambda: layers.HSigmoid(divisor=0), ValueError),
        (lambda: layers.GRN(3, data_format="nchw"), ValueError),
        (lambda: layers.LayerScale(3, data_format="nchw"), ValueError),
        (lambda: modules.ConvModule(3, 8, 2, conv_cfg="conv"), TypeError),
        (lambda: modules.ConvModule(3, 8, 2, norm_cfg="norm"), TypeError),
        (lambda: modules.ConvModule(3, 8, 2, act_cfg="act"), TypeError),
        (lambda: modules.ConvModule(3, 8, 2, order=("conv", "norm")), ValueError),
        (lambda: modules.ConvModule(3, 8, 2, order=["conv", "norm", "act"]), ValueError),
        (lambda: modules.DepthwiseSeparableConvModule(4, 8, 2, groups=2), TypeError),
        (lambda: modules.build_plugin_layer(dict(type="ContextBlock"), postfix=1.5), TypeError),
        (lambda: modules.ContextBlock(16, 0.25, pooling_type="max"), ValueError),
        (lambda: modules.ContextBlock(16, 0.25, fusion_types=("add",)), ValueError),
        (lambda: modules.ContextBlock(16, 0.25, fusion_types=()), ValueError),
        (lambda: modules.FFN(num_fcs=1), ValueError),
        (lambda: modules.AdaptivePadding(padding="around"), ValueError),
        (lambda: modules.PatchMerging(4, 8)(torch.ones(1, 6, 4), 6), TypeError),
        (lambda: modules.PatchMerging(4, 8)(torch.ones(1, 6, 4), (2, 2)), ValueError),
        (lambda: transformer_layer(operation_order=("self_attn", "fnn")), ValueError),
        (lambda: transformer_layer(attn_cfgs=[ATTENTION] * 2), ValueError),
        (lambda: transformer_layer(ffn_cfgs=[NETWORK] * 2), ValueError),
        (lambda: transformer_layer(ffn_cfgs=dict(NETWORK, embed_dims=9)), ValueError),
        (lambda: transformer_layer()(torch.ones(5, 1, 8), attn_masks=[None] * 2), ValueError),
        (lambda: modules.TransformerLayerSequence([LAYER], num_layers=2), ValueError),
        (lambda: modules.get_model_complexity_info(nn.ReLU(), [3]), TypeError),
        (lambda: modules.get_model_complexity_info(nn.ReLU(), ()), ValueError),
        (lambda: modules.get_model_complexity_info("model", (3,)), TypeError),
        (lambda: modules.RFSearchHook(mode="find"), ValueError),
        (lambda: modules.Conv2dRFSearchOp(nn.Conv2d(3, 3, 3), None), ValueError),
    ],
)
def test_invalid_argument_raises_an_assertion_error_of_builtin_type(call, builtin) -> None:
    with pytest.raises(AssertionError) as caught:
        call()
    assert isinstance(caught.value, builtin)
