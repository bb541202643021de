"""Turn synchronised batch norms back into plain ones, to run a model on one device."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class _BatchNormXd(_BatchNorm):
    """A batch norm for inputs (N, C, ...) of any dimension, as the synchronised one is."""

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002  (the name in the base)
        pass


def revert_sync_batchnorm(module: nn.Module) -> nn.Module:
    """Replace every `torch.nn.SyncBatchNorm` of a model by a plain batch norm.

    The new layers hold the very tensors of the old ones, so an optimizer stays valid. One that
    occurs at several places is replaced by one.

    Args:
        module: The model. Its children are replaced in place.

    Returns:
        `module`; a new batch norm if it is itself a synchronised one.
    """
    replaced: dict[nn.Module, nn.Module] = {}
    for parent in list(module.modules()):
        for name, child in parent._modules.items():
            if isinstance(child, nn.SyncBatchNorm):
                if child not in replaced:
                    replaced[child] = _plain(child)
                parent._modules[name] = replaced[child]
    return _plain(module) if isinstance(module, nn.SyncBatchNorm) else module


def _plain(sync: nn.SyncBatchNorm) -> _BatchNormXd:
    with torch.device("meta"):  # its tensors are replaced at once
        plain = _BatchNormXd(
            sync.num_features, sync.eps, sync.momentum, sync.affine, sync.track_running_stats
        )
    plain._parameters.update(sync._parameters)
    plain._buffers.update(sync._buffers)
    plain.training = sync.training
    if hasattr(sync, "qconfig"):  # a model prepared for quantisation
        plain.qconfig = sync.qconfig
    return plain
