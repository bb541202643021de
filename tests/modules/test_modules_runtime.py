"""What every module supports: compilation, export, copies, devices and any input."""

import copy
import io
import pickle
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from brickwork_base import BaseModule
from brickwork_modules import (
    FFN,
    AdaptivePadding,
    BaseTransformerLayer,
    ContextBlock,
    ConvModule,
    DepthwiseSeparableConvModule,
    GeneralizedAttention,
    MultiheadAttention,
    NonLocal1d,
    NonLocal2d,
    NonLocal3d,
    PatchEmbed,
    PatchMerging,
    TransformerLayerSequence,
)
from torch import Tensor, nn

BN = dict(type="BN")
ATTENTION = dict(type="MultiheadAttention", embed_dims=8, num_heads=2)
NETWORK = dict(type="FFN", feedforward_channels=12)
DECODER = dict(
    type="BaseTransformerLayer",
    attn_cfgs=ATTENTION,
    ffn_cfgs=NETWORK,
    operation_order=("self_attn", "norm", "cross_attn", "norm", "ffn", "norm"),
)


class Stack(nn.Module):
    """Nested modules."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Merging(BaseModule):
    """PatchMerging for a fixed size, because exporters only take tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.merging = PatchMerging(8, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.merging(x, (4, 3))[0]


class TensorOutput(nn.Module):
    """A module that returns a tensor without sizes, which ONNX does not support as outputs."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        return first(self.module(*inputs))


IMAGE = ((2, 8, 6, 5),)
TOKENS = ((7, 2, 8),)

# Module and shapes of its inputs; the batch dimension has size 2.
CASES: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "ConvModule": (lambda: ConvModule(8, 4, 3), IMAGE),
    "ConvModule-bn": (lambda: ConvModule(8, 4, 3, norm_cfg=BN), IMAGE),
    "ConvModule-gn-first": (
        lambda: ConvModule(
            8, 4, 3, norm_cfg=dict(type="GN", num_groups=2), order=("norm", "act", "conv")
        ),
        IMAGE,
    ),
    "ConvModule-reflect": (
        lambda: ConvModule(8, 4, 3, padding=1, padding_mode="reflect", act_cfg=dict(type="Clip")),
        IMAGE,
    ),
    "ConvModule-efficient": (
        lambda: ConvModule(8, 4, 3, norm_cfg=BN, efficient_conv_bn_eval=True),
        IMAGE,
    ),
    "ConvModule-spectral": (lambda: ConvModule(8, 4, 3, with_spectral_norm=True), IMAGE),
    "ConvModule-1d": (
        lambda: ConvModule(
            8, 4, 3, conv_cfg=dict(type="Conv1d"), norm_cfg=dict(type="BN1d"), act_cfg=None
        ),
        ((2, 8, 9),),
    ),
    "ConvModule-transposed": (
        lambda: ConvModule(8, 4, 3, 2, conv_cfg=dict(type="deconv"), norm_cfg=BN),
        IMAGE,
    ),
    "DepthwiseSeparableConvModule": (
        lambda: DepthwiseSeparableConvModule(8, 4, 3, norm_cfg=BN),
        IMAGE,
    ),
    "Stack": (
        lambda: Stack(ConvModule(8, 8, 3, padding=1, norm_cfg=BN), ConvModule(8, 4, 1)),
        IMAGE,
    ),
    "NonLocal1d": (lambda: NonLocal1d(8), ((2, 8, 6),)),
    **{
        f"NonLocal2d-{mode}": (
            lambda mode=mode: NonLocal2d(8, sub_sample=True, mode=mode, norm_cfg=BN),
            IMAGE,
        )
        for mode in ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
    },
    "NonLocal3d": (lambda: NonLocal3d(8, sub_sample=True), ((2, 8, 3, 4, 4),)),
    "ContextBlock": (
        lambda: ContextBlock(8, 0.5, fusion_types=("channel_add", "channel_mul")),
        IMAGE,
    ),
    "ContextBlock-avg": (lambda: ContextBlock(8, 0.5, pooling_type="avg"), IMAGE),
    **{
        f"GeneralizedAttention-{kind}": (
            lambda kind=kind: GeneralizedAttention(8, num_heads=2, attention_type=kind),
            IMAGE,
        )
        for kind in ("1111", "0010", "0100", "0001")
    },
    "GeneralizedAttention-q": (lambda: GeneralizedAttention(8, num_heads=2, q_stride=2), IMAGE),
    "AdaptivePadding": (lambda: AdaptivePadding(3, 2, padding="same"), IMAGE),
    "PatchEmbed": (
        lambda: PatchEmbed(8, 6, kernel_size=4, stride=4, norm_cfg=dict(type="LN")),
        IMAGE,
    ),
    "PatchMerging": (Merging, ((2, 12, 8),)),
    "MultiheadAttention": (lambda: MultiheadAttention(8, 2), TOKENS),
    "MultiheadAttention-batch-first": (
        lambda: MultiheadAttention(8, 2, batch_first=True),
        ((2, 7, 8), (2, 5, 8)),
    ),
    "FFN": (
        lambda: FFN(8, 12, layer_scale_init_value=0.1, dropout_layer=dict(type="DropPath")),
        TOKENS,
    ),
    "BaseTransformerLayer": (
        lambda: BaseTransformerLayer(
            ATTENTION, NETWORK, operation_order=("norm", "self_attn", "norm", "ffn")
        ),
        TOKENS,
    ),
    "TransformerLayerSequence": (
        lambda: TransformerLayerSequence(DECODER, 2),
        (*TOKENS, (5, 2, 8), (5, 2, 8)),
    ),
}
# One of each family, because an export takes a second or two.
ONNX = [
    "Stack",
    "ConvModule-efficient",
    "DepthwiseSeparableConvModule",
    "NonLocal2d-embedded_gaussian",
    "ContextBlock",
    "GeneralizedAttention-1111",
    "PatchEmbed",
    "PatchMerging",
    "TransformerLayerSequence",
]


every_case = pytest.mark.parametrize("case", CASES)
CLOSE = dict(rtol=1e-5, atol=1e-5)


def first(output: Any) -> Tensor:
    """Return the tensor among what a module returns."""
    return output[0] if isinstance(output, tuple) else output


def run(module: Callable[..., Any], inputs: Sequence[Tensor]) -> Tensor:
    """Return the output for copies of the inputs, without gradients."""
    with torch.no_grad():
        return first(module(*(x.clone() for x in inputs)))


def prepare(case: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """Return a module in eval mode whose parameters are not zero, and inputs."""
    torch.manual_seed(0)
    build, shapes = CASES[case]
    module = build().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module, tuple(torch.randn(shape) for shape in shapes)


@every_case
@pytest.mark.slow
@pytest.mark.parametrize("train", [False, True])
def test_compiles_without_a_graph_break(case: str, train: bool) -> None:
    torch._dynamo.reset()
    module, inputs = prepare(case)
    for layer in module.modules():
        if hasattr(layer, "drop_prob"):
            layer.drop_prob = 0.0  # random draws differ between two runs
    module.train(train)
    copied = copy.deepcopy(module)
    compiled = torch.compile(copied, fullgraph=True, backend="eager")
    torch.testing.assert_close(run(compiled, inputs), run(module, inputs), **CLOSE)
    for actual, expected in zip(copied.buffers(), module.buffers(), strict=True):
        torch.testing.assert_close(actual, expected)
    if any(p.requires_grad for p in copied.parameters()):
        first(compiled(*inputs)).sum().backward()
        assert all(p.grad is not None for p in copied.parameters() if p.requires_grad)


@every_case
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The tensor attribute")  # torch's spectral norm sets it
def test_exports_with_a_dynamic_batch(case: str) -> None:
    module, inputs = prepare(case)
    batch = CASES[case][1][0].index(2)
    program = torch.export.export(
        module, inputs, dynamic_shapes=tuple({batch: torch.export.Dim.AUTO} for _ in inputs)
    ).module()
    torch.testing.assert_close(run(program, inputs), run(module, inputs), **CLOSE)
    doubled = [torch.cat([x, x], dim=batch) for x in inputs]
    torch.testing.assert_close(run(program, doubled), run(module, doubled), **CLOSE)


def test_fx_traces_conv_modules_down_to_their_layers() -> None:
    module, inputs = prepare("Stack")
    traced = torch.fx.symbolic_trace(module)
    names = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    assert names == [
        *("layers.0.conv", "layers.0.bn", "layers.0.activate"),
        *("layers.1.conv", "layers.1.activate"),
    ]
    torch.testing.assert_close(run(traced, inputs), run(module, inputs), **CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("case", ONNX)
def test_exports_to_onnx(case: str) -> None:
    module, inputs = prepare(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        program = torch.onnx.export(TensorOutput(module), inputs, dynamo=True, verbose=False)
    assert program is not None
    assert len(program.model_proto.graph.node) > 0


@every_case
def test_copies_pickles_and_loads(case: str) -> None:
    module, inputs = prepare(case)
    module.train()(*inputs)  # spectral norm keeps the graph of its weight
    expected = run(module.eval(), inputs)
    torch.testing.assert_close(run(copy.deepcopy(module), inputs), expected, **CLOSE)
    pickled = pickle.loads(pickle.dumps(module))
    torch.testing.assert_close(run(pickled, inputs), expected, **CLOSE)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    loaded = CASES[case][0]().eval()
    loaded.load_state_dict(torch.load(file, weights_only=True))
    torch.testing.assert_close(run(loaded, inputs), expected, **CLOSE)


@every_case
def test_builds_and_runs_on_the_meta_device(case: str) -> None:
    module, inputs = prepare(case)
    build, shapes = CASES[case]
    with torch.device("meta"):
        empty = build().eval()
        output = first(empty(*(torch.empty(shape) for shape in shapes)))
    assert {p.device.type for p in empty.parameters()} <= {"meta"}
    assert output.shape == first(module(*inputs)).shape


@every_case
def test_channels_last_gives_the_same_output(case: str) -> None:
    module, inputs = prepare(case)
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    converted = copy.deepcopy(module)
    if inputs[0].dim() == 4:
        converted = converted.to(memory_format=torch.channels_last)
    actual = converted(
        *(x.contiguous(memory_format=formats.get(x.dim(), torch.contiguous_format)) for x in inputs)
    )
    torch.testing.assert_close(first(actual), first(module(*inputs)), **CLOSE)


@every_case
@pytest.mark.parametrize("train", [False, True])
def test_autocast_gives_finite_outputs(case: str, train: bool) -> None:
    module, inputs = prepare(case)
    module.train(train)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = first(module(*inputs))
    assert torch.isfinite(output.float()).all()
    if any(p.requires_grad for p in module.parameters()):
        output.float().sum().backward()


@every_case
def test_empty_batch_gives_an_empty_output(case: str) -> None:
    module, inputs = prepare(case)
    _, shapes = CASES[case]
    empty = [torch.empty([0 if size == 2 else size for size in shape]) for shape in shapes]
    batch = shapes[0].index(2)
    shape = list(first(module(*inputs)).shape)
    shape[batch] = 0
    assert list(first(module(*empty)).shape) == shape
