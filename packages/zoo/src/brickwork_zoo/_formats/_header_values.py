"""Python values as text in the metadata of a safetensors file. Works without torch.

The format's metadata maps text to text. A value is written as JSON, which any program can read,
as far as JSON can tell it; the rest (tuples, arrays, times, ...) as a JSON object whose only key
begins with ``!``, and for anything but a tuple with a pickle in it, which is read as data.
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

META = "brickwork.meta"  # what save_checkpoint got as meta
VERSIONS = "brickwork.versions"  # of modules: a state dict's _metadata
EXTRA = "brickwork.extra"  # entries of the state dict that are not tensors

_TUPLE, _PICKLE = "!tuple", "!pickle"


def encode_value(value: Any) -> str:
    """Return a value as JSON.

    Raises:
        TypeError: It, or something in it, does not pickle.
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
    except Exception as error:  # each type raises its own
        raise TypeError(f"a {type(value).__name__} does not pickle: {error}") from error
    return {_PICKLE: base64.b64encode(data).decode("ascii")}


def decode_value(text: str, make_value: MakeValue = plain_value) -> Any:
    """Return the value of a text from :func:`encode_value`.

    Raises:
        ValueError: The text is damaged.
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
