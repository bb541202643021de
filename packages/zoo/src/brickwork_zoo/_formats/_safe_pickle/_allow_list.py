"""The reviewed list: names that checkpoints mention beside weights, and the data they become.

Each constructor takes data and gives data; it checks its arguments where the type itself would do
something with odd ones (allocate without limit, call back). Types of other libraries become plain
dicts, Python numbers or :class:`Inert` records, whether or not their library is installed; numpy's
scalars and arrays become numpy's where numpy is installed.
"""

from __future__ import annotations

import argparse
import datetime
import decimal
import fractions
import pathlib
import re
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from ._numpy_values import (
    DType,
    fill_array,
    numpy_array,
    numpy_from_buffer,
    numpy_or_none,
    numpy_scalar,
    to_bytes,
)
from ._opaque_object import Inert, Name, checked_key


def _sequence(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(items: Any = (), *_: Any) -> Any:
        if not isinstance(items, list | tuple | set | frozenset):
            raise TypeError(f"{kind} of a {type(items).__name__}")
        return kind(items if kind in (list, tuple) else map(checked_key, items))

    return make


def _mapping(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(items: Any = (), *_: Any) -> Any:
        if not isinstance(items, list | tuple | dict):
            raise TypeError(f"{kind} of a {type(items).__name__}")
        pairs = items.items() if isinstance(items, dict) else items
        return kind({checked_key(key): value for key, value in pairs})

    return make


def _dict_of_a_library(*args: Any) -> dict[Any, Any]:
    """A dict with dots: called with a dict, or, by addict, with pairs that come as items, too."""
    return _mapping(dict)(args[0]) if args and isinstance(args[0], dict) else {}


def _default_dict(*_: Any) -> dict[Any, Any]:
    """Without its factory, which would be code."""
    return {}


def _reconstruct_object(cls: Any, *_: Any) -> Any:
    """``copyreg._reconstructor``: how protocols 0 and 1 make an instance."""
    if not isinstance(cls, Name):
        raise TypeError("an instance of what is no class")
    return cls.make()


def _fill_namespace(namespace: argparse.Namespace, state: Any) -> None:
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise TypeError("a Namespace of odd state")
    vars(namespace).update(state)


def _path(kind: type[pathlib.PurePath]) -> Callable[..., pathlib.PurePath]:
    def make(*parts: Any) -> pathlib.PurePath:
        if not all(isinstance(part, str) for part in parts):
            raise TypeError("a path of odd parts")
        return kind(*parts)

    return make


def _time(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        # Python 2 wrote the packed form as text
        head = [to_bytes(a) if isinstance(a, str) else a for a in args]
        return kind(*head)

    return make


def _decimal(text: Any) -> decimal.Decimal:
    if not isinstance(text, str) or len(text) > 1000:
        raise TypeError("a number of odd text")
    return decimal.Decimal(text)


def _fraction(*args: Any) -> fractions.Fraction:
    """Of two numbers, or of text; not with an exponent, which a fraction would write out."""
    numbers = all(type(arg) is int for arg in args)
    if not numbers and not re.fullmatch(r"-?\d{1,1000}(/\d{1,1000})?", *args):
        raise TypeError("a fraction of odd text")
    return fractions.Fraction(*args)


def fillers() -> dict[type, Callable[[Any, Any], None]]:
    """Type -> what gives an instance of it the state that a file has for it."""
    table: dict[type, Callable[[Any, Any], None]] = {
        DType: DType.fill,
        argparse.Namespace: _fill_namespace,
    }
    return table if (numpy := numpy_or_none()) is None else {**table, numpy.ndarray: fill_array}


# Dicts with dots: their items are the data.
_DICT_TYPES = (
    "addict.addict.Dict",
    "easydict.EasyDict",
    "detectron2.config.config.CfgNode",
    "fvcore.common.config.CfgNode",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "mmcv.utils.config.ConfigDict",
    "mmengine.config.config.ConfigDict",
    "yacs.config.CfgNode",
)

# Kept as records.
_RECORD_TYPES = (
    "builtins.getattr",  # how protocol 2 spells a method, in mmengine's HistoryBuffer
    "builtins.object",
    "mmcv.utils.config.Config",
    "mmengine.config.config.Config",
    "mmengine.logging.history_buffer.HistoryBuffer",
    *(
        f"mmengine.logging.history_buffer.HistoryBuffer.{method}"
        for method in ("current", "max", "mean", "min")
    ),
    "numpy.ndarray",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "typing.Any",
)


def _again(type_name: Any, args: Any = (), state: Any = None, items: Any = ()) -> Inert:
    """A record that was saved again."""
    if type(type_name) is not str or type(args) is not tuple or type(items) not in (list, tuple):
        raise TypeError("a record of odd parts")
    return Inert(type_name, args, state, list(items))


_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": to_bytes,
    "argparse.Namespace": lambda: argparse.Namespace(),
    "brickwork_zoo.Inert": _again,
    "builtins.bytearray": lambda *args: bytearray(to_bytes(*args)),
    "builtins.bytes": to_bytes,
    "builtins.complex": complex,
    "builtins.dict": _mapping(dict),
    "builtins.frozenset": _sequence(frozenset),
    "builtins.list": _sequence(list),
    "builtins.set": _sequence(set),
    "builtins.slice": slice,
    "builtins.tuple": _sequence(tuple),
    "collections.Counter": _mapping(Counter),
    "collections.OrderedDict": _mapping(OrderedDict),
    "collections.defaultdict": _default_dict,
    "collections.deque": _sequence(list),
    "copyreg._reconstructor": _reconstruct_object,
    "datetime.date": _time(datetime.date),
    "datetime.datetime": _time(datetime.datetime),
    "datetime.time": _time(datetime.time),
    "datetime.timedelta": datetime.timedelta,
    "datetime.timezone": datetime.timezone,
    "decimal.Decimal": _decimal,
    "fractions.Fraction": _fraction,
    "numpy.dtype": DType,
    "numpy._core.numeric._frombuffer": numpy_from_buffer,
    "numpy.core.numeric._frombuffer": numpy_from_buffer,
    **{
        f"numpy.{core}.{name}": make
        for core in ("core.multiarray", "_core.multiarray")
        for name, make in (("scalar", numpy_scalar), ("_reconstruct", numpy_array))
    },
    **{
        f"{module}.{name}": _path(kind)
        for module in ("pathlib", "pathlib._local")
        for name, kind in (
            ("PosixPath", pathlib.PurePosixPath),
            ("PurePosixPath", pathlib.PurePosixPath),
            ("WindowsPath", pathlib.PureWindowsPath),
            ("PureWindowsPath", pathlib.PureWindowsPath),
        )
    },
    **dict.fromkeys(_DICT_TYPES, _dict_of_a_library),
}


def _record(full: str) -> Callable[..., Inert]:
    return lambda *args: Inert(full, args)


REVIEWED: dict[str, Name] = {
    **{full: Name(full, make) for full, make in _CONSTRUCTORS.items()},
    **{full: Name(full, _record(full)) for full in _RECORD_TYPES},
}
