"""What `mmengine.model` offers besides modules and initialisation, where none is installed."""

import logging
from collections.abc import Sequence
from typing import Any

import torch
import torch.fx
from brickwork_layers import SyncBatchNorm
from torch import nn
from torch.nn import functional
from torch.nn.parallel import DataParallel, DistributedDataParallel

from .logging import print_log
from .registry import MODEL_WRAPPERS, Registry

__all__ = [
    "convert_sync_batchnorm",
    "detect_anomalous_params",
    "is_model_wrapper",
    "merge_dict",
    "stack_batch",
]

MODEL_WRAPPERS.register_module(module=DataParallel)
MODEL_WRAPPERS.register_module(module=DistributedDataParallel)


def is_model_wrapper(model: nn.Module, registry: Registry = MODEL_WRAPPERS) -> bool:
    """Tell whether a model is one that holds another, such as DDP.

    Args:
        model: The model.
        registry: Where wrappers are registered; its children are looked in, too.

    Returns:
        Whether it is.
    """
    return isinstance(model, tuple(registry.module_dict.values())) or any(
        is_model_wrapper(model, child) for child in registry.children.values()
    )


def stack_batch(
    tensor_list: Sequence[torch.Tensor], pad_size_divisor: int = 1, pad_value: float = 0
) -> torch.Tensor:
    """Stack tensors into a batch, padded at the end of each dimension but the first.

    Args:
        tensor_list: Tensors `(C, ...)` of as many dimensions.
        pad_size_divisor: What each padded size is to be a multiple of.
        pad_value: What they are padded with.

    Returns:
        The batch `(N, C, ...)`.

    Raises:
        ValueError: If there are no tensors, or their dimensions differ in number.
    """
    if len({tensor.dim() for tensor in tensor_list}) != 1:
        shapes = [tuple(tensor.shape) for tensor in tensor_list]
        raise ValueError(f"tensor_list must hold tensors of as many dimensions, got {shapes}")
    largest = [max(sizes) for sizes in zip(*(t.shape[1:] for t in tensor_list), strict=True)]
    wanted = [-(-size // pad_size_divisor) * pad_size_divisor for size in largest]
    padded = []
    for tensor in tensor_list:
        missing = [size - have for size, have in zip(wanted, tensor.shape[1:], strict=True)]
        ends = [pad for more in reversed(missing) for pad in (0, more)]  # the last dimension first
        padded.append(functional.pad(tensor, ends, value=pad_value))
    return torch.stack(padded)


def merge_dict(*args: dict[str, Any]) -> dict[str, Any]:
    """Merge dicts into a new one, in a call that `torch.fx` does not look into."""
    return {key: value for one in args for key, value in one.items()}


torch.fx.wrap("merge_dict")


def detect_anomalous_params(loss: torch.Tensor, model: nn.Module) -> None:
    """Log an error for each parameter that needs a gradient and that a loss does not depend on.

    Args:
        loss: The loss, not yet propagated back.
        model: The model.
    """
    reached, nodes = set(), [loss.grad_fn]
    seen = set(nodes)
    for node in nodes:  # grows while it is walked
        if node is None:
            continue
        reached.add(getattr(node, "variable", None))
        following = {parent for parent, _ in node.next_functions} - seen
        seen |= following
        nodes += following
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and parameter not in reached:
            print_log(
                f"{name} of shape {tuple(parameter.shape)} is not in the graph of the loss",
                logger="current",
                level=logging.ERROR,
            )


def convert_sync_batchnorm(module: nn.Module, implementation: str = "torch") -> nn.Module:
    """Replace each batch norm by one whose statistics are those of all processes.

    Args:
        module: The model.
        implementation: `"torch"`; `"mmcv"` is a compiled operator of mmcv.

    Returns:
        The model, or what replaces it.

    Raises:
        ValueError: If another implementation is asked for.
    """
    if implementation != "torch":
        raise ValueError(
            f"implementation must be 'torch' here, got {implementation!r}: that of 'mmcv' is in"
            f" mmcv.ops, which needs mmcv and mmengine installed"
        )
    return SyncBatchNorm.convert_sync_batchnorm(module)
