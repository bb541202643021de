"""Conversion of synchronized batch norms into plain ones, to run a model on one device."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _BatchNormXd(_BatchNorm):
    """Batch norm for inputs ``(N, C, *)``, which `torch.nn.SyncBatchNorm` supports."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  (name in the base class)
        pass


def revert_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every `torch.nn.SyncBatchNorm` of a model by a plain batch norm.

    The new layers have the tensors of the old ones, so an optimizer remains valid. A shared layer
    is replaced by one shared layer.

    Args:
        module: The model, changed in place.

    Returns:
        `module`; a new batch norm if `module` itself is a synchronized one.
    """
    replaced: dict[nn.Module, nn.Module] = {}
    for parent in list(module.modules()):
        for name, child in parent._modules.items():
            if isinstance(child, nn.SyncBatchNorm):
                if child not in replaced:
                    replaced[child] = _to_plain(child)
                parent._modules[name] = replaced[child]
    return _to_plain(module) if isinstance(module, nn.SyncBatchNorm) else module


def _to_plain(sync: nn.SyncBatchNorm) -> _BatchNormXd:
    with torch.device("meta"):  # its tensors are replaced
        plain = _BatchNormXd(
            sync.num_features, sync.eps, sync.momentum, sync.affine, sync.track_running_stats
        )
    plain._parameters.update(sync._parameters)
    plain._buffers.update(sync._buffers)
    plain.training = sync.training
    if hasattr(sync, "qconfig"):  # of a model prepared for quantization
        plain.qconfig = sync.qconfig
    return plain
