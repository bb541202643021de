"""Encoding of Python values as text, for the metadata of a safetensors file.

The metadata of the format maps strings to strings. Values that JSON can represent are written as
JSON, which any program can read. A tuple becomes ``{"!tuple": [...]}``; any other value (an array,
a time, ...) becomes ``{"!pickle": "<base64>"}``, which is decoded without running code.
Works without torch.
"""

from __future__ import annotations

import base64
import io
import json
import math
import pickle
from typing import Any

from ._safe_pickle._allow_list import state_setters
from ._safe_pickle._opaque_object import BrokenPickleError
from ._safe_pickle._unpickler import SafeUnpickler
from ._torch_pickle import MakeValue, plain_value, torch_globals

META = "brickwork.meta"  # the argument `meta` of save_checkpoint
VERSIONS = "brickwork.versions"  # versions of the modules: `_metadata` of a state dict
EXTRA = "brickwork.extra"  # entries of the state dict that are not tensors

_TUPLE, _PICKLE = "!tuple", "!pickle"


def encode_value(value: Any) -> str:
    """Return a value as JSON text.

    Raises:
        TypeError: If the value, or a value nested in it, cannot be pickled.
    """
    return json.dumps(_to_json(value), ensure_ascii=False)


def _to_json(value: Any) -> Any:
    if value is None or type(value) in (bool, int, str):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is list:
        return [_to_json(item) for item in value]
    if type(value) is tuple:
        return {_TUPLE: [_to_json(item) for item in value]}
    if type(value) is dict and all(type(key) is str and key[:1] != "!" for key in value):
        return {key: _to_json(item) for key, item in value.items()}
    try:
        data = pickle.dumps(value, protocol=4)
    except Exception as error:  # types raise different exceptions
        raise TypeError(f"a {type(value).__name__} cannot be pickled: {error}") from error
    return {_PICKLE: base64.b64encode(data).decode("ascii")}


def decode_value(text: str, make_value: MakeValue = plain_value) -> Any:
    """Return the value of a text that :func:`encode_value` returned.

    Raises:
        ValueError: If the text is damaged.
    """
    try:
        return json.loads(text, object_hook=lambda table: _from_json(table, make_value))
    except (TypeError, RecursionError, BrokenPickleError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def _from_json(table: dict[str, Any], make_value: MakeValue) -> Any:
    if table.keys() == {_TUPLE}:
        return tuple(table[_TUPLE])
    if table.keys() == {_PICKLE}:
        data = base64.b64decode(table[_PICKLE], validate=True)
        unpickler = SafeUnpickler(torch_globals(make_value), set_state=state_setters())
        return unpickler.load(io.BytesIO(data))
    return table
