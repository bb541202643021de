"""`count_flops` against formulas."""

import pytest
import torch
from brickwork_modules import add_flops_counting_methods, count_flops
from torch import nn


def test_linear_layer_counts_one_multiply_add_per_weight_and_sample() -> None:
    model = nn.Linear(3, 2)
    with count_flops(model) as counts:
        model(torch.zeros(5, 3))
    assert counts.total == 5 * 3 * 2
    assert counts.by_module == {model: 5 * 3 * 2}


def test_rules_count_further_operators_in_units_of_half_a_multiply_add() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    rules = {torch.ops.aten.tanh: lambda shape, out_shape, **_: 2 * 7 * shape.numel()}
    with count_flops(model, rules) as counts:
        model(torch.zeros(5, 3))
    assert counts.by_module == {model: 30 + 70, model[0]: 30, model[1]: 70}


def test_module_called_twice_counts_both_calls() -> None:
    layer = nn.Linear(3, 3)
    model = nn.Sequential(layer, layer)
    with count_flops(model) as counts:
        model(torch.zeros(1, 3))
    assert counts.by_module == {model: 18, layer: 18}


def test_module_that_calls_itself_counts_once() -> None:
    class Recursive(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x: torch.Tensor, depth: int = 2) -> torch.Tensor:
            x = self.layer(x)
            return self(x, depth - 1) if depth else x

    model = Recursive()
    with count_flops(model) as counts:
        model(torch.zeros(1, 3))
    assert counts.by_module[model] == counts.total == 27


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_fused_attention_is_counted_by_its_products(device: str) -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, device=device).eval()
    with count_flops(layer) as counts:
        layer(torch.zeros(1, 5, 8, device=device))
    projections, products, feedforward = 4 * 5 * 8 * 8, 2 * 5 * 5 * 8, 2 * 5 * 8 * 16
    assert counts.total == projections + products + feedforward


def test_model_has_no_hooks_after_an_error() -> None:
    model = nn.Sequential(nn.Linear(3, 2)).train()
    with pytest.raises(RuntimeError, match="shapes"), count_flops(model):
        model(torch.zeros(1, 4))
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_counting_methods_give_the_mean_of_all_samples() -> None:
    model = add_flops_counting_methods(nn.Sequential(nn.Linear(3, 2), nn.ReLU()))
    model.start_flops_count()
    model(torch.zeros(5, 3))
    output = model(torch.zeros(1, 3))
    model.stop_flops_count()
    model(torch.zeros(7, 3))
    assert model.compute_average_flops_cost() == (6 + 2, 8)
    assert output.requires_grad
    model.reset_flops_count()
    assert model.compute_average_flops_cost() == (0, 8)


def test_counting_methods_survive_a_failed_forward() -> None:
    model = add_flops_counting_methods(nn.Linear(3, 2))
    model.start_flops_count()
    with pytest.raises(RuntimeError, match="shapes"):
        model(torch.zeros(1, 4))
    model.reset_flops_count()
    model(torch.zeros(1, 3))
    assert model.compute_average_flops_cost() == (6, 8)
