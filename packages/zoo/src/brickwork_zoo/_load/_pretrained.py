"""`Pretrained`, the initializer that loads a checkpoint. Needs torch."""

from __future__ import annotations

from typing import Unpack

from brickwork_init import INITIALIZERS, Initializer
from torch import nn

from brickwork_zoo._formats._map_location import MapLocation
from brickwork_zoo._redact import redact_credentials

from ._load_checkpoint import load_checkpoint
from ._load_options import PretrainedOptions, split_options
from ._revise_keys import STRIP_MODULE, ReviseKeys


@INITIALIZERS.register_module(name="Pretrained")
class PretrainedInit(Initializer):
    r"""Initializer that loads a checkpoint: ``dict(type='Pretrained', checkpoint=...)``.

    The file is read directly into the memory of the module.

    Args:
        checkpoint: A path or URI, see :func:`load_checkpoint`.
        prefix: Load only the keys with this prefix, such as ``"backbone."``, and remove it.
        map_location: Devices of the tensors before they are copied to the device of the module.
        strict: See :func:`load_checkpoint`.
        revise_keys: See :func:`load_checkpoint`.
        **options: See :class:`PretrainedOptions`.

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
        strict: bool = False,
        revise_keys: ReviseKeys = STRIP_MODULE,
        **options: Unpack[PretrainedOptions],
    ) -> None:
        super().__init__()
        split_options("Pretrained", options)  # raises for unknown ones
        self.checkpoint = checkpoint
        self.prefix = prefix
        self.map_location = map_location
        self._strict = strict
        self._revise_keys = revise_keys
        self._options = options

    def __call__(self, module: nn.Module) -> None:
        """Load the checkpoint into a module.

        Args:
            module: The module that the rule belongs to.

        Raises:
            ZooError: If the file cannot be found, downloaded or read, or no tensor fits.
        """
        load_checkpoint(
            module,
            self.checkpoint,
            "cpu" if self.map_location is None else self.map_location,
            self._strict,
            revise_keys=self._revise_keys,
            return_weights=False,
            prefix=self.prefix,
            **self._options,
        )

    def __repr__(self) -> str:
        source = redact_credentials(self.checkpoint)
        return f"{type(self).__name__}: load from {source}" + (
            f" (prefix {self.prefix})" if self.prefix else ""
        )
