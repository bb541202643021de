"""Parameters and FLOPs, against the numbers of mmcv 1.7.2 and formulas."""

import dataclasses
import io

import pytest
import torch
from brickwork_modules import (
    ConvModule,
    count_complexity,
    flops_to_string,
    get_model_complexity_info,
    get_model_parameters_number,
    params_to_string,
)
from torch import nn


def plane():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, groups=4, bias=False),
        nn.BatchNorm2d(8, affine=False),
        nn.LeakyReLU(),
        nn.ConvTranspose2d(8, 4, 3, stride=2, groups=2),
        nn.Upsample(scale_factor=2),
        nn.PReLU(),
        nn.ELU(),
        nn.ReLU6(),
        nn.AvgPool2d(2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 10),
    )


def line():
    return nn.Sequential(
        nn.Conv1d(3, 6, 3),
        nn.BatchNorm1d(6),
        nn.MaxPool1d(2),
        nn.AdaptiveAvgPool1d(2),
        nn.GroupNorm(2, 6),
        nn.InstanceNorm1d(6, affine=True),
    )


def volume():
    return nn.Sequential(
        nn.Conv3d(3, 6, 3), nn.BatchNorm3d(6), nn.MaxPool3d(2), nn.AdaptiveMaxPool3d(1)
    )


# What mmcv 1.7.2's get_model_complexity_info(..., as_strings=False) says of the same networks.
@pytest.mark.parametrize(
    ("make", "shape", "numbers"),
    [
        (plane, (3, 16, 16), (91392, 583)),
        (line, (3, 20), (1506, 96)),
        (volume, (3, 9, 9, 9), (175092, 504)),
    ],
)
def test_convolutional_networks_count_as_in_mmcv(make, shape, numbers):
    actual = get_model_complexity_info(make(), shape, print_per_layer_stat=False, as_strings=False)
    assert actual == numbers


def attention_flops(length, width, hidden, layers):
    """Multiply-adds of a transformer encoder, by the formula."""
    projections = 4 * length * width * width
    products = 2 * length * length * width
    feedforward = 2 * length * width * hidden
    norms = 2 * 2 * length * width
    return layers * (projections + products + feedforward + norms + length * hidden)  # + ReLU


def test_transformer_flops_include_attention():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    complexity = count_complexity(model, (10, 32))
    assert complexity.flops == attention_flops(10, 32, 64, 2)
    by_name = {row.name: row for row in complexity.modules}
    assert by_name["layers"].flops == complexity.flops
    assert by_name["layers.1"].flops == complexity.flops / 2


def test_functions_are_counted_like_modules():
    class Attention(nn.Module):
        def forward(self, x):
            return torch.relu(nn.functional.scaled_dot_product_attention(x, x, x))

    assert count_complexity(Attention(), (2, 7, 5)).flops == 2 * (2 * 7 * 7 * 5) + 2 * 7 * 5


def test_every_module_has_a_row_that_includes_its_submodules():
    model = nn.Sequential(ConvModule(3, 8, 3, norm_cfg={"type": "BN"}), nn.Conv2d(8, 2, 1))
    complexity = count_complexity(model, (3, 8, 8))
    by_name = {row.name: row for row in complexity.modules}
    assert list(by_name) == [name for name, _ in model.named_modules()]
    assert by_name["0.conv"].flops == 36 * 8 * 27
    assert by_name["0.bn"].flops == 36 * 8 * 2
    assert by_name["0.activate"].flops == 36 * 8
    assert by_name["0"].flops == sum(by_name[f"0.{n}"].flops for n in ("conv", "bn", "activate"))
    assert by_name["1"].flops == 36 * 2 * 8 + 36 * 2
    assert complexity.flops == by_name["0"].flops + by_name["1"].flops
    assert by_name["0"].parameters == 8 * 27 + 16
    assert dataclasses.asdict(complexity)["modules"][0]["parameters"] == complexity.parameters


def test_module_shared_by_two_parents_has_the_flops_of_all_its_calls():
    shared = nn.Linear(4, 4)
    model = nn.Sequential(nn.Sequential(shared), nn.Sequential(shared, nn.Linear(4, 2)))
    flops = {row.name: row.flops for row in count_complexity(model, (4,)).modules}
    assert flops == {"": 40, "0": 16, "0.0": 32, "1": 24, "1.1": 8}


def test_model_is_not_modified():
    model = plane().train()
    model[2].eval()
    state = {key: value.clone() for key, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    count_complexity(model, (3, 16, 16))
    assert modes == [module.training for module in model.modules()]
    for key, value in model.state_dict().items():
        assert torch.equal(value, state[key])


def test_meta_model_has_the_same_counts():
    with torch.device("meta"):
        model = plane()
    assert count_complexity(model, (3, 16, 16)) == count_complexity(plane(), (3, 16, 16))


def test_constructed_inputs_are_counted_per_sample():
    class Two(nn.Module):
        def forward(self, a, b):
            return a @ b

    def inputs(shape):
        return {"a": torch.zeros(4, *shape), "b": torch.zeros(4, *shape)}

    complexity = count_complexity(Two(), (5, 5), inputs)
    assert complexity.flops == 125


def test_frozen_parameters_are_not_counted():
    model = nn.Linear(3, 2)
    model.bias.requires_grad_(False)
    assert get_model_parameters_number(model) == 6


def test_model_is_printed_with_counts_in_the_format_of_mmcv():
    out = io.StringIO()
    model = nn.Sequential(nn.Conv1d(3, 8, 3), nn.ReLU())
    texts = get_model_complexity_info(model, (3, 16), ost=out)
    assert texts == ("0.0 GFLOPs", "80")
    assert out.getvalue() == (
        "Sequential(\n"
        "  0.0 M, 100.000% Params, 0.0 GFLOPs, 100.000% FLOPs, \n"
        "  (0): Conv1d(0.0 M, 100.000% Params, 0.0 GFLOPs, 90.909% FLOPs, 3, 8, kernel_size=(3,), "
        "stride=(1,))\n"
        "  (1): ReLU(0.0 M, 0.000% Params, 0.0 GFLOPs, 9.091% FLOPs, )\n"
        ")\n"
    )
    assert repr(model[1]) == "ReLU()"


def test_table_has_a_line_for_each_module_up_to_a_depth():
    complexity = count_complexity(plane(), (3, 16, 16))
    lines = str(complexity).splitlines()
    assert lines[0].split() == ["module", "class", "parameters", "FLOPs"]
    assert lines[1].split() == [
        "(model)",
        "Sequential",
        "583",
        "100.0%",
        "91.39",
        "KFLOPs",
        "100.0%",
    ]
    assert len(lines) == 18
    assert len(complexity.table(depth=0).splitlines()) == 2


def test_model_is_printed_to_the_current_stdout(capsys):
    get_model_complexity_info(nn.ReLU(), (3,))
    assert "ReLU" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("args", "error"),
    [((3, (3,)), TypeError), ((nn.ReLU(), [3]), TypeError), ((nn.ReLU(), ()), ValueError)],
)
def test_invalid_argument_is_refused(args, error):
    with pytest.raises(error, match="must"):
        count_complexity(*args)


# As printed by mmcv 1.7.2.
@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((1e9,), "1.0 GFLOPs"),
        ((2e5, "MFLOPs"), "0.2 MFLOPs"),
        ((2e5, "KFLOPs"), "200.0 KFLOPs"),
        ((3e-9, None), "3e-09 FLOPs"),
        ((12345, None), "12.35 KFLOPs"),
        ((12345678, None, 1), "12.3 MFLOPs"),
        ((5, "FLOPs"), "5 FLOPs"),
    ],
)
def test_flops_to_string_formats_as_mmcv(args, text):
    assert flops_to_string(*args) == text


@pytest.mark.parametrize(
    ("args", "text"),
    [
        ((1e9,), "1000.0 M"),
        ((2e5,), "200.0 k"),
        ((3e-9,), "3e-09"),
        ((2e5, "M"), "0.2 M"),
        ((2e5, "K", 1), "200.0 K"),
        ((7, ""), "7"),
    ],
)
def test_params_to_string_formats_as_mmcv(args, text):
    assert params_to_string(*args) == text
