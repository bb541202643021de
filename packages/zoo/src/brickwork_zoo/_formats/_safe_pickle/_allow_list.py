"""The allow-list: global names that a checkpoint may refer to, and how to construct each object.

A constructor takes and returns plain data. It checks arguments with which the type could allocate
unlimited memory or run code. Third-party types become plain dicts, Python numbers or
:class:`OpaqueObject`, whether or not their library is installed; numpy scalars and arrays become
numpy's if numpy is installed.
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
    NumpyDType,
    numpy_array,
    numpy_from_buffer,
    numpy_or_none,
    numpy_scalar,
    set_array_state,
    to_bytes,
)
from ._opaque_object import OpaqueObject, PickledGlobal, checked_key


def _sequence(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(items: Any = (), *_: Any) -> Any:
        if not isinstance(items, list | tuple | set | frozenset):
            name = getattr(kind, "__name__", kind)
            raise TypeError(f"cannot make a {name} from a {type(items).__name__}")
        return kind(items if kind in (list, tuple) else map(checked_key, items))

    return make


def _mapping(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(items: Any = (), *_: Any) -> Any:
        if not isinstance(items, list | tuple | dict):
            name = getattr(kind, "__name__", kind)
            raise TypeError(f"cannot make a {name} from a {type(items).__name__}")
        pairs = items.items() if isinstance(items, dict) else items
        return kind({checked_key(key): value for key, value in pairs})

    return make


def _library_dict(*args: Any) -> dict[Any, Any]:
    """Return a plain dict for a third-party dict type; addict pickles its pairs as items."""
    return _mapping(dict)(args[0]) if args and isinstance(args[0], dict) else {}


def _default_dict(*_: Any) -> dict[Any, Any]:
    """Return a plain dict for a defaultdict, whose factory would be code."""
    return {}


def _reconstruct_object(cls: Any, *_: Any) -> Any:
    """Return a new instance (``copyreg._reconstructor`` of protocols 0 and 1)."""
    if not isinstance(cls, PickledGlobal):
        raise TypeError("an instance has no class")
    return cls.call()


def _set_namespace_state(namespace: argparse.Namespace, state: Any) -> None:
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise TypeError("a Namespace has an invalid state")
    vars(namespace).update(state)


def _path(kind: type[pathlib.PurePath]) -> Callable[..., pathlib.PurePath]:
    def make(*parts: Any) -> pathlib.PurePath:
        if not all(isinstance(part, str) for part in parts):
            raise TypeError("a path has parts that are not strings")
        return kind(*parts)

    return make


def _time(kind: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any) -> Any:
        # Pickles of Python 2 contain the packed bytes of a time as text.
        return kind(*(to_bytes(arg) if isinstance(arg, str) else arg for arg in args))

    return make


def _decimal(text: Any) -> decimal.Decimal:
    if not isinstance(text, str) or len(text) > 1000:
        raise TypeError("a Decimal must be text of at most 1000 characters")
    return decimal.Decimal(text)


def _fraction(*args: Any) -> fractions.Fraction:
    """Return a fraction of two ints or a text; an exponent is refused, as it may be huge."""
    numbers = all(type(arg) is int for arg in args)
    if not numbers and not re.fullmatch(r"-?\d{1,1000}(/\d{1,1000})?", *args):
        raise TypeError("a Fraction must be two ints or text such as '1/3'")
    return fractions.Fraction(*args)


def state_setters() -> dict[type, Callable[[Any, Any], None]]:
    """Return a table: type -> function that sets the pickled state of an instance."""
    table: dict[type, Callable[[Any, Any], None]] = {
        NumpyDType: NumpyDType.set_state,
        argparse.Namespace: _set_namespace_state,
    }
    return (
        table if (numpy := numpy_or_none()) is None else {**table, numpy.ndarray: set_array_state}
    )


# Third-party dict types: only their items are kept, as a plain dict.
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

# Types that become opaque objects.
_OPAQUE_TYPES = (
    "builtins.getattr",  # protocol 2 pickles a method so, for example of mmengine's HistoryBuffer
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


def _opaque(type_name: Any, args: Any = (), state: Any = None, items: Any = ()) -> OpaqueObject:
    """Return the opaque object that a pickled :class:`OpaqueObject` describes."""
    if type(type_name) is not str or type(args) is not tuple or type(items) not in (list, tuple):
        raise TypeError("an OpaqueObject has invalid attributes")
    return OpaqueObject(type_name, args, state, list(items))


_CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": to_bytes,
    "argparse.Namespace": lambda: argparse.Namespace(),
    "brickwork_zoo.OpaqueObject": _opaque,
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
    "numpy.dtype": NumpyDType,
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
    **dict.fromkeys(_DICT_TYPES, _library_dict),
}


def _make_opaque(full_name: str) -> Callable[..., OpaqueObject]:
    return lambda *args: OpaqueObject(full_name, args)


ALLOWED: dict[str, PickledGlobal] = {
    **{name: PickledGlobal(name, make) for name, make in _CONSTRUCTORS.items()},
    **{name: PickledGlobal(name, _make_opaque(name)) for name in _OPAQUE_TYPES},
}
