"""Conversion of synchronized batch norms into plain ones."""

import copy
import pickle

import pytest
import torch
from brickwork_layers import build_norm_layer
from brickwork_modules import ConvModule, revert_sync_batchnorm
from torch import nn


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 5), (2, 3, 4, 4, 4)])
@pytest.mark.parametrize("options", [{}, {"affine": False}, {"track_running_stats": False}])
def test_reverted_layer_equals_a_plain_batch_norm(options, shape):
    model = revert_sync_batchnorm(nn.Sequential(nn.SyncBatchNorm(3, eps=1e-3, **options)))
    oracle = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d, 5: nn.BatchNorm3d}
    plain = oracle[len(shape)](3, eps=1e-3, **options)
    x = torch.randn(shape)
    for _ in range(2):
        torch.testing.assert_close(model(x), plain(x))
    assert model[0].state_dict().keys() == plain.state_dict().keys()
    torch.testing.assert_close(model.eval()(x), plain.eval()(x))


def test_reverting_keeps_tensors_modes_and_shared_layers():
    sync = nn.SyncBatchNorm(3).eval()
    sync.qconfig = "some"
    model = nn.ModuleDict({"a": sync, "b": nn.Sequential(sync, nn.ReLU())})
    tensors = dict(model.state_dict(keep_vars=True))
    assert revert_sync_batchnorm(model) is model
    assert model["a"] is model["b"][0]
    assert not isinstance(model["a"], nn.SyncBatchNorm)
    assert not model["a"].training
    assert model["a"].qconfig == "some"
    after = model.state_dict(keep_vars=True)
    assert after.keys() == tensors.keys()
    assert all(after[key] is tensors[key] for key in tensors)


def test_single_layer_and_conv_module_are_reverted():
    assert not isinstance(revert_sync_batchnorm(nn.SyncBatchNorm(2)), nn.SyncBatchNorm)
    model = revert_sync_batchnorm(ConvModule(3, 4, 1, norm_cfg={"type": "SyncBN"}))
    assert not any(isinstance(m, nn.SyncBatchNorm) for m in model.modules())
    x = torch.randn(2, 3, 4, 4)
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert again(x).shape == (2, 4, 4, 4)
    layer = build_norm_layer({"type": "SyncBN"}, 3)[1]
    assert not isinstance(revert_sync_batchnorm(layer), nn.SyncBatchNorm)
