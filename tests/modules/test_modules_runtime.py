"""Every module under every way in which torch runs, moves and stores one."""

import copy
import io
import pickle
import warnings
from collections.abc import Callable
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
    """Several modules in one: what they do nested is as important as alone."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Merging(BaseModule):
    """PatchMerging of a fixed size: exporters take tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.merging = PatchMerging(8, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.merging(x, (4, 3))[0]


class Tensors(nn.Module):
    """A module without the sizes that it returns beside its tensor: ONNX has no place for them."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *inputs: Tensor) -> Tensor:
        return first(self.module(*inputs))


IMAGE = ((2, 8, 6, 5),)
TOKENS = ((7, 2, 8),)

# Module and shapes of its inputs; the batch is the dimension of size 2.
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
# Each export takes a second or two, so ONNX gets one of each family.
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


def first(output: Any) -> Tensor:
    """The tensor among what a module returns."""
    return output[0] if isinstance(output, tuple) else output


@pytest.fixture(autouse=True)
def _fresh_compiler() -> None:
    torch._dynamo.reset()


@pytest.fixture
def made(case: str) -> tuple[nn.Module, tuple[Tensor, ...]]:
    """The module, with no parameter zero, in eval mode; and inputs."""
    torch.manual_seed(0)
    build, shapes = CASES[case]
    module = build().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return module, tuple(torch.randn(shape) for shape in shapes)


every = pytest.mark.parametrize("case", CASES)


def check(run: Callable[..., Any], made: tuple[nn.Module, tuple[Tensor, ...]]) -> None:
    """The same output from another way to run the module."""
    module, inputs = made
    with torch.no_grad():
        expected = first(module(*(x.clone() for x in inputs)))
        actual = first(run(*(x.clone() for x in inputs)))
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


@every
@pytest.mark.parametrize("train", [False, True])
def test_compiles_without_a_graph_break(made: Any, train: bool) -> None:
    module, inputs = made
    for dropout in module.modules():  # what is drawn differs between two runs
        if hasattr(dropout, "drop_prob"):
            dropout.drop_prob = 0.0
    module.train(train)
    copied = copy.deepcopy(module)
    compiled = torch.compile(copied, fullgraph=True, backend="eager")
    check(compiled, made)
    for ours, theirs in zip(copied.buffers(), module.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)
    if any(p.requires_grad for p in copied.parameters()):
        first(compiled(*inputs)).sum().backward()
        assert all(p.grad is not None for p in copied.parameters() if p.requires_grad)


@every
@pytest.mark.filterwarnings("ignore:The tensor attribute")  # torch's own spectral norm sets it
def test_exports_with_any_batch_size(case: str, made: Any) -> None:
    module, inputs = made
    batch = CASES[case][1][0].index(2)
    program = torch.export.export(
        module, inputs, dynamic_shapes=tuple({batch: torch.export.Dim.AUTO} for _ in inputs)
    )
    check(program.module(), made)
    check(program.module(), (module, tuple(torch.cat([x, x], dim=batch) for x in inputs)))


def test_is_followed_by_fx() -> None:
    torch.manual_seed(0)
    module = CASES["Stack"][0]().eval()
    traced = torch.fx.symbolic_trace(module)
    names = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    assert names == [
        *("layers.0.conv", "layers.0.bn", "layers.0.activate"),
        *("layers.1.conv", "layers.1.activate"),
    ]
    check(traced, (module, (torch.randn(2, 8, 6, 5),)))


@every
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_traces(made: Any) -> None:
    module, inputs = made
    check(torch.jit.trace(module, inputs, check_trace=False), made)


@pytest.mark.parametrize(
    "case", [name for name in CASES if "Conv" in name and "spectral" not in name] + ["Stack"]
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripts(made: Any) -> None:
    module, inputs = made
    scripted = torch.jit.script(module)
    check(scripted, made)
    stored = io.BytesIO()
    torch.jit.save(scripted, stored)
    stored.seek(0)
    check(torch.jit.load(stored), made)
    assert [*scripted.state_dict()] == [*module.state_dict()]
    if isinstance(module, ConvModule):
        for activate in (False, True):
            for norm in (False, True):
                torch.testing.assert_close(
                    scripted(*inputs, activate, norm), module(*inputs, activate, norm)
                )


@pytest.mark.parametrize("case", ONNX)
def test_exports_to_onnx(made: Any) -> None:
    module, inputs = made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter, about itself
        program = torch.onnx.export(Tensors(module), inputs, dynamo=True, verbose=False)
    assert program is not None
    assert len(program.model_proto.graph.node) > 0


@every
def test_copies_and_pickles(case: str, made: Any) -> None:
    module, inputs = made
    first(module.train()(*inputs)).sum()  # spectral norm leaves its graph behind
    module.eval()
    check(copy.deepcopy(module), made)
    check(pickle.loads(pickle.dumps(module)), made)
    stored = io.BytesIO()
    torch.save(module.state_dict(), stored)
    stored.seek(0)
    other = CASES[case][0]().eval()
    other.load_state_dict(torch.load(stored, weights_only=True))
    check(other, made)


@every
def test_lives_on_the_meta_device(case: str, made: Any) -> None:
    module, inputs = made
    build, shapes = CASES[case]
    with torch.device("meta"):
        empty = build().eval()
        output = first(empty(*(torch.empty(shape) for shape in shapes)))
    assert {p.device.type for p in empty.parameters()} <= {"meta"}
    assert output.shape == first(module(*inputs)).shape


@every
def test_takes_channels_last(made: Any) -> None:
    module, inputs = made
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    last = copy.deepcopy(module)
    if inputs[0].dim() == 4:
        last = last.to(memory_format=torch.channels_last)

    def run(*inputs: Tensor) -> Any:
        return last(
            *(
                x.contiguous(memory_format=formats.get(x.dim(), torch.contiguous_format))
                for x in inputs
            )
        )

    check(run, made)


@every
@pytest.mark.parametrize("train", [False, True])
def test_runs_under_autocast(made: Any, train: bool) -> None:
    module, inputs = made
    module.train(train)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = first(module(*inputs))
    assert torch.isfinite(output.float()).all()
    if any(p.requires_grad for p in module.parameters()):
        output.float().sum().backward()


@every
def test_takes_an_empty_batch(case: str, made: Any) -> None:
    module, inputs = made
    _, shapes = CASES[case]
    empty = [torch.empty([0 if size == 2 else size for size in shape]) for shape in shapes]
    expected = first(module(*inputs)).shape
    batch = shapes[0].index(2)
    wanted = [0 if i == batch else size for i, size in enumerate(expected)]
    assert list(first(module(*empty)).shape) == wanted
