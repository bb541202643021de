"""Safetensors files as checkpoints. Works without torch."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from brickwork_zoo.errors import CheckpointError

from ._data_file import DataFile
from ._header_values import EXTRA, META, VERSIONS, decode_value
from ._safetensors_header import read_header
from ._torch_pickle import MakeValue, plain_value


def read_safetensors(file: DataFile, make_value: MakeValue = plain_value) -> dict[str, Any]:
    """Read a safetensors file, with a :class:`StoredTensor` for each tensor.

    Returns:
        The state dict, with the versions of the modules if the file has them. If the file has a
        ``meta``, as :func:`save_checkpoint` writes it, ``{"meta": ..., "state_dict": ...}``.

    Raises:
        CheckpointError: If the header is damaged.
    """
    tensors, metadata = read_header(file)
    values: dict[str, Any] = {}
    for name in (META, VERSIONS, EXTRA):
        if name in metadata:
            try:
                values[name] = decode_value(metadata[name], make_value)
            except ValueError as error:
                raise CheckpointError(
                    f"{file.path} has an invalid {name!r} in its safetensors header: {error}",
                    path=file.path,
                ) from error
    state_dict: dict[str, Any] = OrderedDict(tensors)
    if isinstance(extra := values.get(EXTRA), dict):
        state_dict.update(extra)
    if isinstance(versions := values.get(VERSIONS), dict):
        state_dict._metadata = versions  # type: ignore[attr-defined]  # as torch does
    return {"meta": values[META], "state_dict": state_dict} if META in values else state_dict
