"""Fusion of batch norms: which pairs are found, and outputs of the fused model."""

import copy
import io
import logging
import pickle

import pytest
import torch
from brickwork_layers import build_conv_layer
from brickwork_modules import ConvBN, ConvModule, FusionError, find_conv_bn, fuse_conv_bn
from torch import nn
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint


def with_statistics(model):
    """Set random statistics and factors in every batch norm, and eval mode."""
    generator = torch.Generator().manual_seed(1)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            module.running_mean.normal_(generator=generator)
            module.running_var.uniform_(0.3, 3, generator=generator)
            if module.affine:
                nn.init.normal_(module.weight, generator=generator)
                nn.init.normal_(module.bias, generator=generator)
    return model.eval()


def norms(model):
    return [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
def test_every_convolution_type_fuses(kind, dim, groups, bias, affine):
    conv = getattr(nn, f"{kind}{dim}d")(4, 6, 3, stride=2, groups=groups, bias=bias)
    model = with_statistics(nn.Sequential(conv, getattr(nn, f"BatchNorm{dim}d")(6, affine=affine)))
    x = torch.randn(2, 4, *[7] * dim)
    exact = copy.deepcopy(model).double()(x.double())
    unfused_error = (model(x) - exact).abs().max()
    assert fuse_conv_bn(model, example=x) is model
    assert type(model[1]) is nn.Identity
    assert (model(x) - exact).abs().max() <= 2 * unfused_error + 1e-6


def block(forward, **children):
    model = nn.Module()
    for name, child in children.items():
        model.add_module(name, child)
    cls = type("Block", (nn.Module,), {"forward": forward})
    model.__class__ = cls
    return with_statistics(model)


def conv():
    return nn.Conv2d(4, 4, 3, padding=1)


def residual(self, x):
    y = self.conv(x)
    return self.bn(y) + y


def twice(self, x):
    return self.bn(self.conv(self.bn(self.conv(x))))


def crossed(self, x):
    return self.bn(self.act(self.conv(x)))


def other_order(self, x):
    return self.conv(self.bn(x))


def branching(self, x):
    return self.bn(self.conv(x)) if x.sum() > 0 else x


def optional(self, x, skip=None, norm=True):
    y = self.conv(x)
    if norm:
        y = self.bn(y)
    return y if skip is None else y + skip


def norm_on_one_branch(self, x):
    y = self.conv(x)
    return self.bn(y) if x.sum() > 0 else y


def other_use_on_one_branch(self, x):
    y = self.conv(x)
    return self.bn(y) if x.sum() > 0 else self.bn(y) + y


def checkpointed(self, x):
    def inner(x):
        return self.bn(self.conv(x))

    return checkpoint(inner, x, use_reentrant=False) if x.requires_grad else inner(x)


def sizes(self, x):
    y = self.bn(self.conv(x))
    return y.view(y.shape[0], -1, *y.shape[2:])


def many_branches(self, x):
    for index in range(9):
        x = x + 1 if x.mean() > index else x
    return self.bn(self.conv(x))


def unknown_length(self, x):
    y = self.bn(self.conv(x))
    return sum(row for row in y)


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        (residual, "used elsewhere"),
        (twice, "more than once"),
        (crossed, "follows no convolution"),
        (other_order, "follows no convolution"),
        (branching, ""),
        (checkpointed, ""),
        (sizes, ""),
        (norm_on_one_branch, "not every path through the forward calls both"),
        (other_use_on_one_branch, "used elsewhere"),
        (many_branches, "cannot be traced (more than 32 paths depend on tensors)"),
        (unknown_length, "cannot be traced"),
        (optional, ""),
    ],
)
def test_only_pairs_that_follow_each_other_fuse(forward, reason):
    model = block(forward, conv=conv(), act=nn.ReLU(), bn=nn.BatchNorm2d(4))
    x = torch.randn(1, 4, 5, 5)
    before, report = model(x), []
    fuse_conv_bn(model, report=report)
    assert len(report) == 1
    assert reason in report[0].reason
    assert bool(reason) is bool(norms(model))
    torch.testing.assert_close(model(x), before, rtol=1e-4, atol=1e-5)


class Branches(nn.Module):
    """Returns a list, as the modules of HRNet do."""

    def __init__(self):
        super().__init__()
        self.branches = nn.ModuleList([nn.Sequential(conv(), nn.BatchNorm2d(4)) for _ in range(2)])

    def forward(self, x):
        return [branch(x) for branch in self.branches]


def test_pairs_fuse_in_a_forward_that_uses_the_list_returned_by_a_child():
    def stem_and_branches(self, x):
        outputs = self.branches(self.bn(self.conv(x)))
        return sum(outputs) / len(outputs)

    model = block(stem_and_branches, conv=conv(), bn=nn.BatchNorm2d(4), branches=Branches())
    x = torch.randn(1, 4, 5, 5)
    before = model(x)
    torch.testing.assert_close(fuse_conv_bn(model)(x), before, rtol=1e-4, atol=1e-5)
    assert not norms(model)


def test_pairs_fuse_in_module_lists_that_the_forward_indexes():
    def split_and_concatenate(self, x):
        parts = x.split(4, dim=1)
        return torch.cat([self.bns[i](self.convs[i](parts[i])) for i in range(2)], dim=1)

    model = block(
        split_and_concatenate,
        convs=nn.ModuleList([conv(), conv()]),
        bns=nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4)]),
    )
    x = torch.randn(1, 8, 5, 5)
    before = model(x)
    assert [(row.bn, row.conv) for row in find_conv_bn(model)] == [
        ("bns.0", "convs.0"),
        ("bns.1", "convs.1"),
    ]
    torch.testing.assert_close(fuse_conv_bn(model)(x), before, rtol=1e-4, atol=1e-5)
    assert not norms(model)


def shared_conv():
    shared = conv()
    return nn.Sequential(
        nn.Sequential(shared, nn.BatchNorm2d(4)), nn.Sequential(shared, nn.BatchNorm2d(4))
    )


def tied_weights():
    model = nn.Sequential(conv(), nn.BatchNorm2d(4), conv())
    model[2].weight = model[0].weight
    return model


def hooked():
    model = nn.Sequential(conv(), nn.BatchNorm2d(4))
    model[0].register_forward_hook(lambda module, args, output: output * 2)
    return model


class NormAndAct(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x).relu()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (shared_conv, "shared"),
        (tied_weights, "shared"),
        (hooked, "hooks"),
        (lambda: nn.Sequential(conv(), NormAndAct(4)), "not a plain batch norm"),
        (
            lambda: nn.Sequential(conv(), nn.BatchNorm2d(4, track_running_stats=False)),
            "statistics of each batch",
        ),
        (
            lambda: nn.Sequential(parametrizations.weight_norm(conv()), nn.BatchNorm2d(4)),
            "computed in each forward",
        ),
        (
            lambda: nn.Sequential(
                build_conv_layer({"type": "ConvAWS"}, 4, 4, 3, padding=1), nn.BatchNorm2d(4)
            ),
            "not linear in its weight",
        ),
        (lambda: nn.Sequential(nn.Conv2d(4, 4, 3), nn.LazyBatchNorm2d()), "no shape yet"),
        (lambda: nn.BatchNorm2d(4), "is the whole model"),
    ],
)
def test_pairs_that_cannot_fuse_are_reported(make, reason):
    model = make()
    state = list(model.state_dict())
    report = []
    fuse_conv_bn(model, report=report)
    assert all(reason in row.reason for row in report)
    assert report
    assert list(model.state_dict()) == state


@pytest.mark.parametrize("kind", ["Conv2dAdaptivePadding", "Conv", "deconv"])
def test_convolutions_of_the_layers_package_fuse(kind):
    model = with_statistics(
        nn.Sequential(build_conv_layer({"type": kind}, 4, 4, 3), nn.BatchNorm2d(4))
    )
    fuse_conv_bn(model, example=torch.randn(1, 4, 9, 9))
    assert not norms(model)


@pytest.mark.parametrize("efficient", [False, True])
@pytest.mark.parametrize("norm", ["BN", "SyncBN"])
def test_conv_module_works_after_fusion(norm, efficient):
    model = nn.Sequential(
        ConvModule(3, 8, 3, norm_cfg={"type": norm}, efficient_conv_bn_eval=efficient),
        nn.Sequential(ConvModule(8, 8, 3, groups=8, norm_cfg={"type": norm})),
        ConvModule(8, 4, 1, norm_cfg={"type": "BN"}, order=("norm", "conv", "act")),
    )
    with_statistics(model)
    x = torch.randn(2, 3, 9, 9)
    before, report = model(x), []
    fuse_conv_bn(model, example=x, report=report)
    assert report == [
        ConvBN("0.bn", "0.conv"),
        ConvBN("1.0.bn", "1.0.conv"),
        ConvBN("2.bn", "", "follows no convolution"),
    ]
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        torch.testing.assert_close(again(x), before, rtol=1e-4, atol=1e-5)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    fresh = fuse_conv_bn(copy.deepcopy(model))
    fresh.load_state_dict(torch.load(file))
    torch.testing.assert_close(fresh(x), before, rtol=1e-4, atol=1e-5)


def test_fusion_that_changes_the_output_is_undone():
    def outside(self, x):  # uses the convolution of a child, past the child's forward
        return self.child(x) + self.child[0](x)

    model = block(outside, child=nn.Sequential(conv(), nn.BatchNorm2d(4)))
    x = torch.randn(1, 4, 5, 5)
    before, state = model(x), {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(FusionError, match="the fusion was undone") as caught:
        fuse_conv_bn(model, example=x)
    assert caught.value.difference > caught.value.tolerance
    assert pickle.loads(pickle.dumps(caught.value)).difference == caught.value.difference
    assert model.state_dict().keys() == state.keys()
    torch.testing.assert_close(model(x), before, rtol=0, atol=0)


def test_fusion_keeps_mode_dtype_and_requires_grad():
    model = with_statistics(nn.Sequential(conv(), nn.BatchNorm2d(4))).to(torch.bfloat16).train()
    model[0].weight.requires_grad_(False)
    fuse_conv_bn(model, example=torch.randn(1, 4, 5, 5, dtype=torch.bfloat16))
    assert all(module.training for module in model.modules())
    assert model[0].weight.dtype == model[0].bias.dtype == torch.bfloat16
    assert not model[0].weight.requires_grad


def test_fusion_draws_no_random_numbers_and_is_logged(caplog):
    model = nn.Sequential(
        build_conv_layer({"type": "ConvAWS"}, 4, 4, 3), nn.BatchNorm2d(4), conv(), nn.BatchNorm2d(4)
    )
    state = torch.get_rng_state()
    with caplog.at_level(logging.INFO, "brickwork_modules"):
        fuse_conv_bn(model)
    assert torch.equal(state, torch.get_rng_state())
    assert "fused 1 of 2 batch norms" in caplog.text
    assert "not fused: batch norm '1'" in caplog.text


def test_meta_model_fuses():
    with torch.device("meta"):
        model = nn.Sequential(conv(), nn.BatchNorm2d(4))
    assert fuse_conv_bn(model)[0].bias.is_meta


def test_find_conv_bn_does_not_modify_the_model():
    model = nn.Sequential(conv(), nn.BatchNorm2d(4)).train()
    assert find_conv_bn(model) == (ConvBN("1", "0"),)
    assert all(module.training for module in model.modules())
    assert norms(model)
