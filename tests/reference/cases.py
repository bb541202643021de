"""Cases that are compared with mmcv 1.7.2, as data that is independent of both libraries.

A case has an object to build (`new`: a name to look up in a library, and arguments, which may be
objects to build as well), functions to call with it, and inputs. The program that stores mmcv's
results and the tests that compare brickwork with them use the same table.
"""

from itertools import permutations
from typing import Any

Spec = dict[str, Any]


def new(name: str, *args: Any, **kwargs: Any) -> Spec:
    """Return an object to build: ``'nn.Linear'`` is torch's, a bare name the library's.

    ``'OwnInit'`` is a module as users write them, see `running.own_init`.
    """
    return {"new": name, "args": args, "kwargs": kwargs}


def case(
    build: Spec,
    *inputs: tuple[int, ...],
    then: list[Spec] | None = None,
    train: bool = False,
    **options: Any,
) -> Spec:
    """Return a case.

    Args:
        build: Object to build.
        *inputs: Shapes of the tensors to call it with; none if it is not called.
        then: Functions to call with the object before its state is stored again.
            ``init_weights`` is its method.
        train: Whether it is called in training mode.
        **options: Keyword arguments of the call; a tuple of ints named ``*_pos`` is a shape.
    """
    return {
        "build": build,
        "inputs": inputs,
        "then": then or [],
        "train": train,
        "options": options,
    }


INIT_WEIGHTS = [new("init_weights")]

BN = {"type": "BN"}
GN = {"type": "GN", "num_groups": 2}
IMAGE = (2, 4, 7, 6)
SEQUENCE = (2, 4, 9)
VOLUME = (1, 4, 4, 5, 6)


def conv(cfg: Any, *args: Any, **kwargs: Any) -> Spec:
    return new("build_conv_layer", cfg, *args, **kwargs)


def norm(kind: str, num_features: int = 4, *args: Any, **options: Any) -> Spec:
    return new("build_norm_layer", {"type": kind, **options}, num_features, *args)


def act(kind: str, **options: Any) -> Spec:
    return new("build_activation_layer", {"type": kind, **options})


def pad(kind: str, *args: Any) -> Spec:
    return new("build_padding_layer", {"type": kind}, *args)


def up(kind: str, **options: Any) -> Spec:
    return new("build_upsample_layer", {"type": kind, **options})


DECONV = {"in_channels": 4, "out_channels": 3, "kernel_size": 3, "stride": 2, "padding": 1}

LAYERS = {
    "conv-none": case(conv(None, 4, 3, 3, padding=1), IMAGE),
    "conv-1d": case(conv({"type": "Conv1d"}, 4, 3, 3, stride=2), SEQUENCE),
    "conv-2d": case(conv({"type": "Conv2d"}, 4, 6, (3, 2), groups=2, dilation=2), IMAGE),
    "conv-2d-no-bias": case(conv({"type": "Conv2d", "bias": False}, 4, 3, 1), IMAGE),
    "conv-2d-reflect": case(
        conv({"type": "Conv2d", "padding_mode": "reflect"}, 4, 3, 3, padding=1), IMAGE
    ),
    "conv-3d": case(conv({"type": "Conv3d"}, 4, 2, 2), VOLUME),
    "conv": case(conv({"type": "Conv"}, 4, 3, 3, stride=2, padding=1), IMAGE),
    "conv-ws": case(conv({"type": "ConvWS"}, 4, 3, 3, padding=1), IMAGE),
    "conv-ws-groups": case(
        conv({"type": "ConvWS", "eps": 1e-3}, 4, 6, 2, groups=2, bias=False), IMAGE
    ),
    "conv-aws": case(conv({"type": "ConvAWS"}, 4, 3, 3, stride=2, padding=1), IMAGE),
    "conv-aws-groups": case(conv({"type": "ConvAWS"}, 4, 6, 2, groups=2, dilation=2), IMAGE),
    **{
        f"conv-adaptive-k{kernel}-s{stride}-d{dilation}": case(
            conv(
                {"type": "Conv2dAdaptivePadding"},
                4,
                2,
                kernel,
                stride=stride,
                padding=1,
                dilation=dilation,
            ),
            IMAGE,
        )
        for kernel, stride, dilation in [(3, 1, 1), (3, 2, 1), (2, 3, 2), (4, 2, 1), (1, 2, 1)]
    },
    "conv-transpose-2d": case(conv({"type": "ConvTranspose2d"}, 4, 3, 3, stride=2), IMAGE),
    "deconv": case(conv({"type": "deconv"}, 4, 3, 3, stride=2, output_padding=1), IMAGE),
    "conv-transpose-3d": case(conv({"type": "ConvTranspose3d"}, 4, 2, 2), VOLUME),
    "deconv3d": case(conv({"type": "deconv3d"}, 4, 2, 2, stride=2), VOLUME),
    **{
        f"norm-{kind}-{mode}": case(norm(kind), shape, train=mode == "train")
        for kind, shape in [
            ("BN", IMAGE),
            ("BN1d", SEQUENCE),
            ("BN2d", IMAGE),
            ("BN3d", VOLUME),
            ("SyncBN", IMAGE),
            ("IN", IMAGE),
            ("IN1d", SEQUENCE),
            ("IN2d", IMAGE),
            ("IN3d", VOLUME),
        ]
        for mode in ("train", "eval")
    },
    "norm-GN": case(norm("GN", num_groups=2), IMAGE),
    "norm-GN-1d": case(norm("GN", num_groups=4, eps=1e-2), SEQUENCE),
    "norm-LN": case(norm("LN", 6), (2, 5, 6)),
    "norm-affine-IN": case(norm("IN", affine=True, track_running_stats=True), IMAGE),
    "norm-plain-BN": case(norm("BN", affine=False), IMAGE),
    "norm-frozen-BN": case(norm("BN", 4, 1, requires_grad=False), IMAGE),
    "norm-postfix-GN": case(norm("GN", 4, "_a", num_groups=1), IMAGE),
    **{
        f"act-{kind}": case(act(kind), SEQUENCE)
        for kind in [
            "ReLU",
            "LeakyReLU",
            "PReLU",
            "ReLU6",
            "RReLU",
            "ELU",
            "Sigmoid",
            "Tanh",
            "SiLU",
            "GELU",
            "Clamp",
            "Clip",
            "HSwish",
            "Swish",
        ]
    },
    "act-LeakyReLU-slope": case(act("LeakyReLU", negative_slope=0.3), SEQUENCE),
    "act-Clip-limits": case(act("Clip", min=-0.2, max=0.4), SEQUENCE),
    "act-HSigmoid": case(act("HSigmoid", bias=1.0, divisor=2.0), SEQUENCE),
    "act-HSigmoid-limits": case(
        act("HSigmoid", bias=2.0, divisor=5.0, min_value=0.1, max_value=0.7), SEQUENCE
    ),
    "HSwish": case(new("HSwish"), SEQUENCE),
    "HSwish-inplace": case(new("HSwish", True), SEQUENCE),
    "Swish": case(new("Swish"), SEQUENCE),
    "Scale": case(new("Scale", 1.5), SEQUENCE),
    "pad-zero": case(pad("zero", 2), IMAGE),
    "pad-reflect": case(pad("reflect", (1, 2, 3, 0)), IMAGE),
    "pad-replicate": case(pad("replicate", 1), IMAGE),
    "up-nearest": case(up("nearest", scale_factor=2), IMAGE),
    "up-bilinear": case(up("bilinear", scale_factor=2), IMAGE),
    "up-bilinear-corners": case(up("bilinear", size=(9, 5), align_corners=True), IMAGE),
    "up-deconv": case(up("deconv", **DECONV), IMAGE),
    "up-deconv3d": case(up("deconv3d", **DECONV), VOLUME),
    "up-pixel-shuffle": case(
        up("pixel_shuffle", in_channels=4, out_channels=2, scale_factor=2, upsample_kernel=3),
        IMAGE,
        then=INIT_WEIGHTS,
    ),
    "drop-path-train": case(
        new("build_dropout", {"type": "DropPath", "drop_prob": 0.4}), (8, 2, 3), train=True
    ),
    "drop-path-eval": case(new("DropPath"), SEQUENCE),
    "dropout-train": case(
        new("build_dropout", {"type": "Dropout", "drop_prob": 0.3}), SEQUENCE, train=True
    ),
    "dropout-default": case(new("Dropout"), SEQUENCE, train=True),
    "drop-default-args": case(
        new("build_dropout", {"type": "Dropout"}, {"drop_prob": 0.1}), SEQUENCE, train=True
    ),
    "Conv2d": case(new("Conv2d", 4, 3, 3), IMAGE),
    "Conv3d": case(new("Conv3d", 4, 2, 2), VOLUME),
    "ConvTranspose2d": case(new("ConvTranspose2d", 4, 3, 3), IMAGE),
    "ConvTranspose3d": case(new("ConvTranspose3d", 4, 2, 2), VOLUME),
    "MaxPool2d": case(new("MaxPool2d", 2, stride=1, ceil_mode=True), IMAGE),
    "MaxPool3d": case(new("MaxPool3d", 2, padding=1), VOLUME),
    "Linear": case(new("Linear", 6, 5), IMAGE),
}


def conv_module(*args: Any, **kwargs: Any) -> Spec:
    return new("ConvModule", *(args or (4, 6, 3)), **{"padding": 1, **kwargs})


def attention(**kwargs: Any) -> Spec:
    return new("GeneralizedAttention", 8, num_heads=2, **kwargs)


FFN_CFG = {"type": "FFN", "embed_dims": 8, "feedforward_channels": 12}
ATTN_CFG = {"type": "MultiheadAttention", "embed_dims": 8, "num_heads": 2}
LAYER_CFG = {
    "type": "BaseTransformerLayer",
    "attn_cfgs": ATTN_CFG,
    "ffn_cfgs": FFN_CFG,
    "operation_order": ("self_attn", "norm", "ffn", "norm"),
}
TOKENS = (5, 2, 8)  # queries, batch, channels
KEYS = (4, 2, 8)

MODULES = {
    "ConvModule": case(conv_module(), IMAGE, then=INIT_WEIGHTS),
    **{
        f"ConvModule-norm-{cfg['type']}-{mode}": case(
            conv_module(norm_cfg=cfg), IMAGE, train=mode == "train", then=INIT_WEIGHTS
        )
        for cfg in (BN, GN, {"type": "SyncBN"}, {"type": "IN", "affine": True})
        for mode in ("train", "eval")
    },
    **{
        f"ConvModule-act-{cfg['type']}": case(conv_module(norm_cfg=BN, act_cfg=cfg), IMAGE)
        for cfg in (
            {"type": "LeakyReLU"},
            {"type": "LeakyReLU", "negative_slope": 0.2},
            {"type": "PReLU"},
            {"type": "HSwish"},
            {"type": "Tanh"},
            {"type": "Sigmoid"},
            {"type": "GELU"},
            {"type": "Swish"},
            {"type": "SiLU"},
            {"type": "ELU", "alpha": 0.5},
            {"type": "ReLU6"},
        )
    },
    "ConvModule-leaky": case(
        conv_module(act_cfg={"type": "LeakyReLU", "negative_slope": 0.2}), IMAGE
    ),
    "ConvModule-no-act": case(conv_module(norm_cfg=BN, act_cfg=None), IMAGE),
    "ConvModule-frozen": case(conv_module(norm_cfg={**BN, "requires_grad": False}), IMAGE),
    "ConvModule-plain": case(conv_module(act_cfg=None), IMAGE),
    "ConvModule-bias": case(conv_module(norm_cfg=GN, bias=True), IMAGE),
    "ConvModule-no-bias": case(conv_module(bias=False), IMAGE),
    "ConvModule-groups": case(conv_module(4, 8, 3, stride=2, dilation=2, groups=4), IMAGE),
    "ConvModule-rectangular": case(conv_module(4, 3, (3, 1), padding=(1, 0)), IMAGE),
    **{
        f"ConvModule-pad-{mode}": case(conv_module(4, 3, 3, padding_mode=mode, norm_cfg=BN), IMAGE)
        for mode in ("zeros", "circular", "reflect", "replicate")
    },
    "ConvModule-spectral": case(conv_module(with_spectral_norm=True), IMAGE),
    "ConvModule-spectral-norm": case(
        conv_module(with_spectral_norm=True, norm_cfg=BN), IMAGE, train=True
    ),
    **{
        "ConvModule-order-" + "-".join(order): case(
            conv_module(4, 6, 3, norm_cfg=BN, order=order, inplace=False), IMAGE
        )
        for order in permutations(("conv", "norm", "act"))
    },
    "ConvModule-1d": case(
        conv_module(conv_cfg={"type": "Conv1d"}, norm_cfg={"type": "BN1d"}), SEQUENCE
    ),
    "ConvModule-3d": case(
        conv_module(4, 2, 3, conv_cfg={"type": "Conv3d"}, norm_cfg={"type": "BN3d"}), VOLUME
    ),
    "ConvModule-ws": case(conv_module(conv_cfg={"type": "ConvWS"}, norm_cfg=GN), IMAGE),
    "ConvModule-aws": case(conv_module(conv_cfg={"type": "ConvAWS"}), IMAGE),
    "ConvModule-adaptive": case(
        conv_module(4, 6, 3, stride=2, conv_cfg={"type": "Conv2dAdaptivePadding"}), IMAGE
    ),
    "ConvModule-deconv": case(conv_module(4, 6, 3, conv_cfg={"type": "deconv"}), IMAGE),
    "ConvModule-skip-act": case(conv_module(norm_cfg=BN), IMAGE, activate=False),
    "ConvModule-skip-norm": case(conv_module(norm_cfg=BN), IMAGE, norm=False),
    "DepthwiseSeparable": case(new("DepthwiseSeparableConvModule", 4, 6, 3, padding=1), IMAGE),
    "DepthwiseSeparable-norm": case(
        new("DepthwiseSeparableConvModule", 4, 6, 3, stride=2, norm_cfg=BN), IMAGE
    ),
    "DepthwiseSeparable-parts": case(
        new(
            "DepthwiseSeparableConvModule",
            4,
            6,
            3,
            dilation=2,
            norm_cfg=BN,
            dw_norm_cfg=None,
            dw_act_cfg={"type": "LeakyReLU"},
            pw_norm_cfg=GN,
            pw_act_cfg=None,
        ),
        IMAGE,
    ),
    "DepthwiseSeparable-kwargs": case(
        new("DepthwiseSeparableConvModule", 4, 6, 3, bias=False, order=("act", "conv", "norm")),
        IMAGE,
    ),
    **{
        f"NonLocal{dims}d-{mode}-{'sub' if sub_sample else 'full'}": case(
            new(f"NonLocal{dims}d", 4, sub_sample=sub_sample, mode=mode), shape
        )
        for dims, shape in ((1, SEQUENCE), (2, (2, 4, 5, 4)), (3, (1, 4, 2, 4, 4)))
        for mode in ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
        for sub_sample in (False, True)
    },
    "NonLocal2d-norm": case(new("NonLocal2d", 4, norm_cfg=BN), IMAGE),
    "NonLocal2d-norm-drawn": case(
        new("NonLocal2d", 4, norm_cfg=BN, zeros_init=False, std=0.02), IMAGE
    ),
    "NonLocal2d-drawn": case(new("NonLocal2d", 4, zeros_init=False), IMAGE, then=INIT_WEIGHTS),
    "NonLocal2d-unscaled": case(new("NonLocal2d", 4, reduction=1, use_scale=False), IMAGE),
    "NonLocal2d-plugin": case(new("build_plugin_layer", {"type": "NonLocal2d"}, 1, in_channels=4)),
    **{
        f"ContextBlock-{pooling}-{'-'.join(fusion)}": case(
            new("ContextBlock", 8, 0.5, pooling, fusion), (2, 8, 4, 5)
        )
        for pooling in ("att", "avg")
        for fusion in (("channel_add",), ("channel_mul",), ("channel_add", "channel_mul"))
    },
    **{
        # mmcv supports only square images if the query attends to positions without a bias.
        f"GeneralizedAttention-{kind}": case(
            attention(attention_type=kind), (2, 8, 4, 4) if kind == "0100" else (2, 8, 6, 4)
        )
        for kind in ("1111", "1000", "0100", "0010", "0001", "1010", "0101", "1101", "0011")
    },
    "GeneralizedAttention-stride": case(
        attention(kv_stride=1, q_stride=2, position_magnitude=2), (2, 8, 6, 4), then=INIT_WEIGHTS
    ),
    "GeneralizedAttention-embedding": case(attention(position_embedding_dim=16), (2, 8, 4, 4)),
    "MultiheadAttention": case(new("MultiheadAttention", 8, 2), TOKENS, then=INIT_WEIGHTS),
    "MultiheadAttention-batch-first": case(
        new("MultiheadAttention", 8, 2, batch_first=True), (2, 5, 8), query_pos=(2, 5, 8)
    ),
    "MultiheadAttention-cross": case(
        new("MultiheadAttention", 8, 4, dropout_layer=None),
        TOKENS,
        KEYS,
        KEYS,
        TOKENS,
        query_pos=TOKENS,
        key_pos=KEYS,
    ),
    "MultiheadAttention-drop": case(
        new(
            "MultiheadAttention",
            8,
            2,
            attn_drop=0.1,
            proj_drop=0.2,
            dropout_layer={"type": "DropPath", "drop_prob": 0.3},
        ),
        TOKENS,
        train=True,
    ),
    "FFN": case(new("FFN", 8, 12), TOKENS, then=INIT_WEIGHTS),
    "FFN-three": case(
        new("FFN", 8, 12, num_fcs=3, act_cfg={"type": "GELU"}, add_identity=False), TOKENS
    ),
    "FFN-identity": case(
        new("FFN", 8, 12, init_cfg={"type": "Xavier", "layer": "Linear"}),
        TOKENS,
        TOKENS,
        then=INIT_WEIGHTS,
    ),
    "FFN-drop": case(
        new("FFN", 8, 12, ffn_drop=0.2, dropout_layer={"type": "Dropout", "drop_prob": 0.3}),
        TOKENS,
        train=True,
    ),
    **{
        f"AdaptivePadding-{mode}": case(
            new("AdaptivePadding", kernel_size=3, stride=4, dilation=2, padding=mode), IMAGE
        )
        for mode in ("corner", "same")
    },
    "PatchEmbed": case(new("PatchEmbed", 4, 6, kernel_size=3, stride=2), IMAGE, then=INIT_WEIGHTS),
    "PatchEmbed-same": case(
        new("PatchEmbed", 4, 6, kernel_size=4, stride=4, padding="same", norm_cfg={"type": "LN"}),
        IMAGE,
    ),
    "PatchEmbed-fixed": case(
        new("PatchEmbed", 4, 6, "Conv2d", 2, None, 1, 2, bias=False, input_size=7), IMAGE
    ),
    "PatchMerging": case(
        new("PatchMerging", 4, 6), (2, 35, 4), then=INIT_WEIGHTS, input_size=[7, 5]
    ),
    "PatchMerging-same": case(
        new("PatchMerging", 4, 6, 3, 2, padding="same", bias=True, norm_cfg=None),
        (2, 35, 4),
        input_size=[7, 5],
    ),
    "PatchMerging-fixed": case(
        new("PatchMerging", 4, 3, 2, padding=1, dilation=2), (2, 35, 4), input_size=[7, 5]
    ),
    "BaseTransformerLayer": case(
        new("BaseTransformerLayer", ATTN_CFG, FFN_CFG, LAYER_CFG["operation_order"]),
        TOKENS,
        then=INIT_WEIGHTS,
        query_pos=TOKENS,
    ),
    "BaseTransformerLayer-pre-norm": case(
        new(
            "BaseTransformerLayer",
            [ATTN_CFG, {**ATTN_CFG, "num_heads": 4}],
            {"type": "FFN", "feedforward_channels": 12},
            ("norm", "self_attn", "norm", "cross_attn", "norm", "ffn"),
            init_cfg={"type": "Xavier", "layer": "Linear", "distribution": "uniform"},
            batch_first=True,
        ),
        (2, 5, 8),
        (2, 4, 8),
        (2, 4, 8),
        then=INIT_WEIGHTS,
        query_pos=(2, 5, 8),
        key_pos=(2, 4, 8),
    ),
    "BaseTransformerLayer-post-norm": case(
        new(
            "BaseTransformerLayer",
            ATTN_CFG,
            FFN_CFG,
            ("self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
        ),
        TOKENS,
        KEYS,
        KEYS,
    ),
    "TransformerLayerSequence": case(
        new("TransformerLayerSequence", LAYER_CFG, 2), TOKENS, KEYS, KEYS, then=INIT_WEIGHTS
    ),
    "TransformerLayerSequence-built": case(
        new(
            "build_transformer_layer_sequence",
            {
                "type": "TransformerLayerSequence",
                "transformerlayers": [LAYER_CFG, {**LAYER_CFG, "norm_cfg": {"type": "LN"}}],
                "num_layers": 2,
            },
        ),
        TOKENS,
        KEYS,
        KEYS,
    ),
}

# ---- initialization: values only

CONV = new("nn.Conv2d", 3, 4, 3)
CONV1D = new("nn.Conv1d", 3, 4, 3)
LINEAR = new("nn.Linear", 3, 4)
NORM = new("nn.BatchNorm2d", 4)
STACK = new("nn.Sequential", CONV, NORM, new("nn.Sequential", CONV1D, LINEAR))
HEADS = new("nn.ModuleDict", {"feat": CONV, "reg": CONV, "cls": CONV})
KINDS = ["Conv2d", "Conv1d", "Linear"]

FUNCTIONS: dict[str, list[dict[str, Any]]] = {
    "constant_init": [{"val": 0.5}, {"val": 1, "bias": 2}],
    "xavier_init": [{}, {"gain": 2.0, "bias": 0.1}, {"distribution": "uniform"}],
    "normal_init": [{}, {"mean": 1.0, "std": 0.01, "bias": 0.2}],
    "trunc_normal_init": [{}, {"std": 0.02}, {"mean": 1, "std": 2, "a": -1, "b": 1.5, "bias": 1}],
    "uniform_init": [{}, {"a": -1, "b": 2, "bias": 0.3}],
    "kaiming_init": [
        {},
        {"a": 0.2, "mode": "fan_in", "nonlinearity": "leaky_relu", "bias": 0.4},
        {"distribution": "uniform"},
    ],
    "caffe2_xavier_init": [{}, {"bias": 0.5}],
}

RULES: dict[str, Any] = {
    "constant": {"type": "Constant", "val": 1, "bias": 2, "layer": "Conv2d"},
    "constant-prob": {"type": "Constant", "val": 0, "bias_prob": 0.01, "layer": KINDS},
    "xavier": {"type": "Xavier", "gain": 0.5, "bias": 0.1, "layer": KINDS},
    "xavier-uniform": {"type": "Xavier", "distribution": "uniform", "layer": "Linear"},
    "normal": {"type": "Normal", "std": 0.01, "layer": KINDS},
    "trunc-normal": {"type": "TruncNormal", "std": 0.02, "a": -0.03, "b": 0.04, "layer": KINDS},
    "uniform": {"type": "Uniform", "a": -0.1, "b": 0.1, "bias": 1, "layer": ["Conv1d"]},
    "kaiming": {"type": "Kaiming", "layer": KINDS},
    "kaiming-uniform": {
        "type": "Kaiming",
        "a": 1,
        "mode": "fan_in",
        "nonlinearity": "leaky_relu",
        "distribution": "uniform",
        "layer": KINDS,
    },
    "caffe2-xavier": {"type": "Caffe2Xavier", "bias": 0.2, "layer": KINDS},
    "base-class": {"type": "Constant", "val": 3, "bias": 4, "layer": "_ConvNd"},
    "norm": {"type": "Constant", "val": 2, "bias": 1, "layer": ["_BatchNorm", "BatchNorm2d"]},
    "nothing": {"type": "Normal", "std": 3},
    "list": [
        {"type": "Normal", "std": 0.1, "layer": "Conv2d"},
        {"type": "Kaiming", "layer": ["Linear", "Conv1d"]},
        {"type": "Constant", "val": 7, "layer": "Linear"},
    ],
}

OVERRIDES: dict[str, Any] = {
    "same": {
        "type": "Constant",
        "val": 1,
        "bias": 2,
        "layer": "Conv2d",
        "override": {"name": "reg"},
    },
    "same-drawn": {"type": "Normal", "std": 0.1, "override": {"name": "reg"}},
    "other": {
        "type": "Xavier",
        "layer": "Conv2d",
        "override": {"type": "Normal", "name": "reg", "std": 0.01, "bias_prob": 0.1},
    },
    "only": {"type": "Constant", "val": 1, "override": {"type": "Kaiming", "name": "cls"}},
    "several": {
        "type": "Uniform",
        "layer": "Conv2d",
        "override": [
            {"type": "Constant", "name": "feat", "val": 3, "bias": 4},
            {"type": "Caffe2Xavier", "name": "cls"},
        ],
    },
}

INNER = {"type": "Constant", "val": 5, "bias": 6, "layer": "Conv2d"}
OUTER = {"type": "Normal", "std": 0.5, "bias": 0.7, "layer": ["Conv2d", "Linear"]}


def sequential(*children: Spec, init_cfg: Any = None) -> Spec:
    return new("Sequential", *children, init_cfg=init_cfg)


TREES = {
    "plain": sequential(CONV, LINEAR),
    "outer": sequential(CONV, LINEAR, init_cfg=OUTER),
    "inner-wins": sequential(CONV, sequential(CONV, LINEAR, init_cfg=INNER), init_cfg=OUTER),
    "inner-first-drawn": sequential(
        sequential(CONV, init_cfg=OUTER), sequential(LINEAR, init_cfg=OUTER), init_cfg=OUTER
    ),
    "deep": sequential(
        sequential(sequential(CONV, init_cfg=OUTER), LINEAR, init_cfg=OUTER), init_cfg=INNER
    ),
    "behind-plain": sequential(
        new("nn.Sequential", sequential(CONV, init_cfg=INNER)), CONV, init_cfg=OUTER
    ),
    "list": new("ModuleList", [CONV, sequential(LINEAR, init_cfg=OUTER)], init_cfg=INNER),
    "dict": new("ModuleDict", {"a": CONV, "b": sequential(CONV, init_cfg=INNER)}, init_cfg=OUTER),
    "override": new("ModuleDict", {"feat": CONV, "reg": CONV}, init_cfg=OVERRIDES["same"]),
    "rules": sequential(CONV, LINEAR, init_cfg=[OUTER, INNER]),
    "own-init": sequential(CONV, new("OwnInit", 0.25), init_cfg=OUTER),
    "own-init-super": sequential(new("OwnInit", 0.25, init_cfg=OUTER), CONV, init_cfg=INNER),
    "bundles": sequential(conv_module(), new("FFN", 8, 12, init_cfg=OUTER), init_cfg=OUTER),
    "shared-rule": sequential(
        new("OwnInit", 0.1, init_cfg=OUTER), new("OwnInit", 0.2, init_cfg=OUTER)
    ),
}

INIT = {
    **{
        f"{function}-{number}-{name}": case(module, then=[new(function, **options)])
        for function, variants in FUNCTIONS.items()
        for number, options in enumerate(variants)
        for name, module in {"conv": CONV, "linear": LINEAR, "bare": new("nn.ReLU")}.items()
    },
    **{
        f"{function}-norm": case(NORM, then=[new(function, **FUNCTIONS[function][-1])])
        for function in ("constant_init", "normal_init", "uniform_init", "trunc_normal_init")
    },
    "constant_init-no-bias": case(
        new("nn.Conv2d", 3, 4, 3, bias=False), then=[new("constant_init", 2)]
    ),
    "kaiming_init-deconv": case(
        new("nn.ConvTranspose2d", 3, 4, 3, groups=1), then=[new("kaiming_init")]
    ),
    **{f"rule-{name}": case(STACK, then=[new("initialize", cfg)]) for name, cfg in RULES.items()},
    **{
        f"override-{name}": case(HEADS, then=[new("initialize", cfg)])
        for name, cfg in OVERRIDES.items()
    },
    **{f"tree-{name}": case(tree, then=INIT_WEIGHTS) for name, tree in TREES.items()},
    "twice": case(TREES["outer"], then=[*INIT_WEIGHTS, new("initialize", INNER)]),
}

# Cases with different outputs because mmcv is wrong; the test expects a difference.
DIFFERENT_OUTPUTS = {
    "ConvModule-pad-circular": "mmcv accepts 'circular' and pads with zeros",
    "GeneralizedAttention-0100": "mmcv looks up the height with rows and columns swapped",
}

GROUPS: dict[str, dict[str, Spec]] = {"layers": LAYERS, "modules": MODULES, "init": INIT}
