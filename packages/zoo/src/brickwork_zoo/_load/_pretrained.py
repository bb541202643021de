"""`Pretrained`, the initializer that loads a checkpoint. Needs torch."""

from __future__ import annotations

from typing import Any

from brickwork_init import INITIALIZERS, Initializer
from torch import nn

from brickwork_zoo._formats._file_tensors import MapLocation

from ._load_checkpoint import load_checkpoint
from ._load_state_dict import OnMismatch
from ._revise_keys import STRIP_MODULE, ReviseKeys


@INITIALIZERS.register_module(name="Pretrained")
class PretrainedInit(Initializer):
    r"""Give a module the weights of a checkpoint: ``dict(type='Pretrained', checkpoint=...)``.

    Args:
        checkpoint: A path or URI, see :func:`load_checkpoint`.
        prefix: Load only what lies below this name in the checkpoint, ``"backbone."``.
        map_location: Where the tensors go first; values are copied to the module, wherever it is.
        revise_keys: Maps the checkpoint's own keys to the module's: pairs ``(regular expression,
            replacement)``, callables, or one callable.
        entry: The key under which the checkpoint keeps its state dict, where it is not clear.
        strict: Raise when anything is missing, unexpected or of another shape.
        on_mismatch: ``"skip"`` or ``"error"`` for tensors of another shape.

    Example:
        >>> init_cfg = dict(type='Pretrained', checkpoint='torchvision://resnet50')
    """

    loads_weights = True

    def __init__(
        self,
        checkpoint: str,
        prefix: str | None = None,
        map_location: MapLocation = None,
        *,
        revise_keys: ReviseKeys = STRIP_MODULE,
        entry: str | None = None,
        strict: bool = False,
        on_mismatch: OnMismatch = "skip",
    ) -> None:
        super().__init__()
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.map_location = map_location
        self._options: dict[str, Any] = {
            "revise_keys": revise_keys,
            "entry": entry,
            "strict": strict,
            "on_mismatch": on_mismatch,
        }

    def __call__(self, module: nn.Module) -> None:
        """Load the checkpoint into a module.

        Args:
            module: The module that the rule belongs to.

        Raises:
            ZooError: The file cannot be had or read, or nothing of it fits.
        """
        load_checkpoint(
            module,
            self.checkpoint,
            "cpu" if self.map_location is None else self.map_location,
            prefix=self.prefix,
            **self._options,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}: load from {self.checkpoint}" + (
            f" (prefix {self.prefix})" if self.prefix else ""
        )
