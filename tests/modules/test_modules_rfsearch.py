"""The search of dilations, against stored results of mmcv 1.7.2 and plain convolutions."""

import copy
import json
import pickle
from types import SimpleNamespace

import pytest
import torch
from brickwork_modules import BaseConvRFSearchOp, Conv2dRFSearchOp, RFSearchHook
from torch import nn
from torch.nn import functional as F

SEARCH = {
    "step": 0,
    "max_step": 6,
    "search_interval": 2,
    "exp_rate": 0.5,
    "init_alphas": 0.01,
    "mmin": 1,
    "mmax": 24,
    "num_branches": 3,
    "skip_layer": ["skipme"],
}


def make_model():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=2, dilation=2),
        nn.Sequential(nn.ReLU(), nn.Conv2d(4, 4, 1)),
        nn.ModuleDict({"skipme": nn.Conv2d(4, 4, 3)}),
        nn.Conv2d(4, 2, (1, 5), dilation=(1, 3), padding=(0, 6)),
    )


def weigh(model, weights):
    for module in model.modules():
        if isinstance(module, BaseConvRFSearchOp):
            with torch.no_grad():
                module.branch_weights.copy_(torch.tensor(weights[: module.num_branches]))


# kernel, dilation, branches, exp_rate: rates at first, the rate and padding settled on with branch
# weights 0.3, -0.5, 0.9, the rates after. From mmcv 1.7.2.
RATES = [
    ((3, 3), (1, 1), 2, 0.5, [(1, 1), (2, 2)], (2, 2), (2, 2), [(1, 1), (3, 3)]),
    ((3, 3), (2, 2), 3, 0.5, [(1, 1), (2, 2), (3, 3)], (2, 2), (2, 2), [(1, 1), (2, 2), (3, 3)]),
    ((3, 3), (4, 4), 3, 0.5, [(2, 2), (4, 4), (6, 6)], (5, 5), (5, 5), [(2, 2), (5, 5), (8, 8)]),
    ((3, 1), (3, 3), 2, 0.5, [(2, 3), (4, 3)], (3, 3), (3, 0), [(2, 3), (4, 3)]),
    ((5, 3), (2, 6), 3, 0.25, [(2, 4), (2, 6), (2, 8)], (2, 7), (4, 7), [(2, 5), (2, 7), (2, 9)]),
    ((2, 3), (8, 8), 2, 0.5, [(8, 4), (8, 12)], (8, 9), (4, 9), [(8, 4), (8, 14)]),
    ((3, 3), (30, 30), 3, 0.5, [(15, 15), (30, 30), (24, 24)], (24, 24), (24, 24),
     [(12, 12), (24, 24)]),
]  # fmt: skip


@pytest.mark.parametrize("row", RATES)
def test_rates_equal_those_of_mmcv(row):
    kernel, dilation, branches, exp_rate, first, settled, padding, after = row
    config = {**SEARCH, "num_branches": branches, "exp_rate": exp_rate}
    op = Conv2dRFSearchOp(nn.Conv2d(2, 2, kernel, dilation=dilation), config, verbose=False)
    assert op.dilation_rates == first
    weigh(op, [0.3, -0.5, 0.9])
    op.estimate_rates()
    assert (op.op_layer.dilation, op.op_layer.padding) == (settled, padding)
    op.expand_rates()
    assert op.dilation_rates == after
    assert torch.equal(op.branch_weights, torch.full_like(op.branch_weights, 0.01))


def test_output_is_the_weighted_sum_of_plain_convolutions():
    conv = nn.Conv2d(4, 6, 3, padding=2, dilation=2, groups=2)
    op = Conv2dRFSearchOp(conv, SEARCH, verbose=False)
    weigh(op, [1.0, -2.0, 1.0])
    x = torch.randn(2, 4, 9, 9)
    expected = sum(
        share * F.conv2d(x, conv.weight, conv.bias, 1, rate, rate, 2)
        for share, rate in ((0.25, 1), (0.5, 2), (0.25, 3))
    )
    torch.testing.assert_close(op(x), expected)
    op(x).sum().backward()
    assert op.branch_weights.grad is not None
    op.estimate_rates()
    torch.testing.assert_close(op(x), conv(x))


def test_operator_can_be_copied_and_pickled():
    op = Conv2dRFSearchOp(nn.Conv2d(2, 3, 3, padding=1), SEARCH, verbose=False)
    x = torch.randn(1, 2, 6, 6)
    for copied in (copy.deepcopy(op), pickle.loads(pickle.dumps(op))):
        torch.testing.assert_close(copied(x), op(x))
    assert list(op.state_dict()) == ["branch_weights", "op_layer.weight", "op_layer.bias"]


@pytest.mark.slow
def test_operator_compiles_without_a_graph_break():
    op = Conv2dRFSearchOp(nn.Conv2d(2, 3, 3, padding=1), SEARCH, verbose=False)
    x = torch.randn(1, 2, 6, 6)
    compiled = torch.compile(op, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x), op(x))


@pytest.mark.parametrize("by_epoch", [True, False])
def test_search_equals_that_of_mmcv(tmp_path, by_epoch):
    config = {"search": SEARCH}
    hook = RFSearchHook("search", config, by_epoch=by_epoch, verbose=False)
    model = make_model()
    hook.init_model(model)
    assert [name for name, _ in model.named_parameters()] == [
        "0.branch_weights", "0.op_layer.weight", "0.op_layer.bias", "1.1.weight", "1.1.bias",
        "2.skipme.weight", "2.skipme.bias", "3.branch_weights", "3.op_layer.weight",
        "3.op_layer.bias",
    ]  # fmt: skip
    trainer = SimpleNamespace(model=model, work_dir=str(tmp_path / "work"))
    for step in range(8):
        weigh(model, [0.1, 0.2, 0.1 + 0.1 * step])
        (hook.after_train_epoch if by_epoch else hook.after_train_iter)(trainer)
        (hook.after_train_iter if by_epoch else hook.after_train_epoch)(trainer)
    files = sorted(path.name for path in (tmp_path / "work").iterdir())
    assert files == [f"local_search_config_step{step}.json" for step in (2, 4)]
    written = json.loads((tmp_path / "work" / files[1]).read_text())
    assert written["search"] == {**SEARCH, "step": 4}
    assert written["structure"] == {"module.0": [2, 2], "module.3": [1, 3]}
    assert config == {"search": SEARCH}  # a copy is what is counted in
    assert SEARCH["step"] == 0


@pytest.mark.parametrize("keys", [("module.0", "module.3"), ("0", "3")])
@pytest.mark.parametrize("mode", ["fixed_single_branch", "fixed_multi_branch", "search"])
def test_saved_structure_sets_the_dilations(tmp_path, mode, keys):
    file = tmp_path / "structure.json"
    file.write_text(json.dumps({"structure": {keys[0]: [5, 4], keys[1]: 6}}))
    model = make_model()
    RFSearchHook(mode, {"search": SEARCH}, str(file), verbose=False).init_model(model)
    first, last = model[0], model[3]
    if mode != "fixed_single_branch":
        assert first.dilation_rates == [(2, 2), (5, 4), (8, 6)]
        first, last = first.op_layer, last.op_layer
    assert (first.dilation, first.padding) == ((5, 4), (5, 4))
    assert (last.dilation, last.padding) == ((6, 6), (0, 12))


def test_data_parallel_model_has_the_same_names(tmp_path):
    wrapped = nn.DataParallel(make_model())
    hook = RFSearchHook(config={"search": {**SEARCH, "search_interval": 1}}, verbose=False)
    hook.init_model(wrapped)
    hook.step(wrapped, tmp_path)
    assert set(hook.config["structure"]) == {"module.0", "module.3"}


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: RFSearchHook("serch", {"search": SEARCH}), ValueError, "fixed_multi_branch"),
        (lambda: RFSearchHook("search"), KeyError, "search"),
        (lambda: Conv2dRFSearchOp(nn.Conv2d(1, 1, 3), {"num_branches": 4}), ValueError, "2 or 3"),
        (lambda: Conv2dRFSearchOp(nn.Conv2d(1, 1, 3), None), ValueError, "2 or 3"),
        (
            lambda: RFSearchHook("fixed_single_branch", {"search": SEARCH}).init_model(
                make_model()
            ),
            KeyError,
            "no dilation for 'module.0'",
        ),
    ],
)
def test_invalid_argument_is_refused(make, error, text):
    with pytest.raises(error, match=text):
        make()
