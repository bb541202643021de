"""Layers are found in their registries by name, with nothing imported first."""

import subprocess
import sys

import brickwork_ops as ops
import pytest
import torch
from brickwork_layers import build_conv_layer, build_norm_layer, build_upsample_layer
from brickwork_modules import ATTENTION, build_plugin_layer


@pytest.mark.parametrize("kind", ["DCN", "DCNv2"])
def test_deformable_convolution_is_built_in_a_fresh_process(kind):
    program = (
        "from brickwork_layers import build_conv_layer;"
        f"conv = build_conv_layer(dict(type={kind!r}, deform_groups=1), 8, 16, 3, padding=1);"
        "print(type(conv).__name__, conv.deform_groups)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    name = "DeformConv2dPack" if kind == "DCN" else "ModulatedDeformConv2dPack"
    assert done.stdout.split() == [name, "1"]


def test_layers_are_found_by_their_names_in_configs():
    assert type(build_conv_layer(dict(type="SAC", use_deform=True), 4, 6, 3)) is ops.SAConv2d
    upsample = build_upsample_layer(dict(type="carafe", channels=8, scale_factor=2))
    assert type(upsample) is ops.CARAFEPack
    name, norm = build_norm_layer(dict(type="MMSyncBN"), 8)
    assert (name, type(norm)) == ("bn", ops.SyncBatchNorm)
    name, plugin = build_plugin_layer(dict(type="CrissCrossAttention", in_channels=16))
    assert type(plugin) is ops.CrissCrossAttention
    attention = ATTENTION.build(dict(type="MultiScaleDeformableAttention", embed_dims=32))
    assert type(attention) is ops.MultiScaleDeformableAttention


def test_sync_batch_norm_starts_as_that_of_mmcv_and_runs_without_processes():
    torch.manual_seed(0)
    norm = ops.SyncBatchNorm(4)
    torch.manual_seed(0)
    expected = torch.empty(4).uniform_()
    assert torch.equal(norm.weight.detach(), expected)
    x = torch.randn(8, 4, 3, 3)
    plain = torch.nn.functional.batch_norm(x, None, None, norm.weight, norm.bias, training=True)
    torch.testing.assert_close(norm(x), plain)
