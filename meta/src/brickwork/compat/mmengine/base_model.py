"""The base class of whole models, where no mmengine is installed."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from brickwork_base import BaseModule
from torch import nn

from .registry import MODELS

__all__ = ["BaseDataPreprocessor", "BaseModel"]


@MODELS.register_module()
class BaseDataPreprocessor(nn.Module):
    """Moves what a data loader gives to where the model is.

    Args:
        non_blocking: Whether not to wait until it is there.
    """

    def __init__(self, non_blocking: bool | None = False) -> None:
        super().__init__()
        self._non_blocking = bool(non_blocking)
        self.register_buffer("_place", torch.empty(0), persistent=False)  # moves with the model

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        place: torch.Tensor = self.get_buffer("_place")
        return place.device

    def cast_data(self, data: Any) -> Any:
        """Move tensors, and whatever else has `to`, in nested mappings, lists and tuples."""
        if isinstance(data, Mapping):
            return {key: self.cast_data(value) for key, value in data.items()}
        if isinstance(data, str | bytes):
            return data
        if isinstance(data, tuple) and hasattr(data, "_fields"):
            return type(data)(*map(self.cast_data, data))
        if isinstance(data, Sequence):
            return type(data)(map(self.cast_data, data))  # type: ignore[call-arg]  # list and tuple do
        if hasattr(data, "to"):
            return data.to(self.device, non_blocking=self._non_blocking)
        return data

    def forward(self, data: Any, training: bool = False) -> Any:
        """Return the data, moved; subclasses do more, and may do it in training only."""
        return self.cast_data(data)


class BaseModel(BaseModule):
    """A model whose `forward(inputs, data_samples=None, mode="tensor")` has three modes.

    `"loss"` returns a dict of losses, `"predict"` a list of predictions, `"tensor"` plain tensors.

    Args:
        data_preprocessor: What prepares the data, or a config for `MODELS`; a
            `BaseDataPreprocessor` by default.
        init_cfg: Config of the initialisation.

    Raises:
        TypeError: If `data_preprocessor` is neither.
    """

    def __init__(
        self,
        data_preprocessor: Mapping[str, Any] | nn.Module | None = None,
        init_cfg: Any = None,
    ) -> None:
        super().__init__(init_cfg)
        if data_preprocessor is None:
            data_preprocessor = BaseDataPreprocessor()
        elif isinstance(data_preprocessor, Mapping):
            data_preprocessor = MODELS.build(data_preprocessor)
        if not isinstance(data_preprocessor, nn.Module):
            raise TypeError(
                f"data_preprocessor must be a module or a config, got {data_preprocessor!r}"
            )
        self.data_preprocessor = data_preprocessor

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = "tensor") -> Any:
        """Return what `mode` asks for; for subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define forward(..., mode)")

    def train_step(self, data: Any, optim_wrapper: Any) -> dict[str, torch.Tensor]:
        """Prepare a batch, compute its losses and step.

        Args:
            data: The batch, as the data loader gives it.
            optim_wrapper: Has `optim_context(model)` and `update_params(loss)`.

        Returns:
            What `parse_losses` found, for logs.
        """
        with optim_wrapper.optim_context(self):
            losses = self._run_forward(self.data_preprocessor(data, True), mode="loss")
        loss, found = self.parse_losses(losses)
        optim_wrapper.update_params(loss)
        return found

    def val_step(self, data: Any) -> Any:
        """Prepare a batch and return its predictions."""
        return self._run_forward(self.data_preprocessor(data, False), mode="predict")

    def test_step(self, data: Any) -> Any:
        """Prepare a batch and return its predictions."""
        return self.val_step(data)

    def parse_losses(
        self, losses: Mapping[str, Any]
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Add losses up.

        Args:
            losses: Name → tensor or list of tensors, each of which is averaged.

        Returns:
            The sum of those that have `loss` in their names, and each of them by name, the sum
            first, as `loss`.

        Raises:
            TypeError: If one is neither.
        """
        found = {}
        for name, value in losses.items():
            parts = value if isinstance(value, list) else [value]
            if not all(isinstance(part, torch.Tensor) for part in parts):
                raise TypeError(f"{name} must be a tensor or a list of tensors, got {value!r}")
            found[name] = sum(part.mean() for part in parts)
        total: Any = sum(value for name, value in found.items() if "loss" in name)
        return total, {"loss": total, **found}

    def _run_forward(self, data: Any, mode: str) -> Any:
        if isinstance(data, Mapping):
            return self(**data, mode=mode)
        if isinstance(data, list | tuple):
            return self(*data, mode=mode)
        raise TypeError(f"data_preprocessor must return a dict, list or tuple, got {data!r}")
