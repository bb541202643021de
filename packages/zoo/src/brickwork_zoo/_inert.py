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
import struct
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from ._data import Inert, Name, checked_key


def _bytes(text: Any = b"", encoding: Any = "latin-1") -> bytes:
    """Bytes as protocol 2 spells them: text and its encoding."""
    if isinstance(text, bytes | bytearray):
        return bytes(text)
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8"):
        raise ValueError(f"bytes from a {type(text).__name__}, or in an odd encoding")
    return text.encode(encoding)


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
        head = [_bytes(a) if isinstance(a, str) else a for a in args]
        return kind(*head)

    return make


def _number(kind: Callable[[str], Any], form: str) -> Callable[..., Any]:
    def make(text: Any) -> Any:
        if not isinstance(text, str) or not re.fullmatch(form, text):
            raise TypeError("a number of odd text")
        return kind(text)

    return make


class DType:
    """A numpy dtype, without numpy: its kind and size, and the byte order filled in later."""

    def __init__(self, code: Any, *_: Any) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or code[:1] not in "biufcSUMm?" or len(code) > 8:
            raise ValueError("a numpy dtype that holds more than plain numbers")
        self.code = code
        self.order = "="
        self.unit: Any = None

    def fill(self, state: Any) -> None:
        """Take the state that numpy gives its dtypes."""
        order, fields = state[1], state[3]
        if fields is not None or order not in ("<", ">", "|", "="):
            raise ValueError("numpy dtype with fields")
        self.order = order
        self.unit = state[8] if len(state) > 8 else None

    def to_numpy(self, numpy: Any) -> Any:
        """The dtype of numpy itself."""
        dtype = numpy.dtype(self.code)
        if self.unit is not None and self.code[:1] in "Mm":
            dtype = numpy.dtype(f"{self.code}[{numpy.datetime_data(self.unit[0])[0]}]")
        return dtype.newbyteorder(self.order) if self.order in "<>" else dtype

    def __reduce__(self) -> tuple[Any, ...]:
        if (numpy := _numpy()) is None:
            return Inert, ("numpy.dtype", (self.code, self.order))
        return self.to_numpy(numpy).__reduce__()  # type: ignore[no-any-return]  # numpy's

    def __repr__(self) -> str:
        return f"<numpy dtype {self.order}{self.code}>"


_STRUCT_CODES = {
    "b1": "?",
    "?": "?",
    "i1": "b",
    "u1": "B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
    "f2": "e",
    "f4": "f",
    "f8": "d",
}


def _numpy() -> Any:
    try:
        import numpy  # optional: torch does without it
    except ImportError:
        return None
    return numpy


def _numpy_scalar(dtype: Any, data: Any = b"") -> Any:
    if not isinstance(dtype, DType):
        raise TypeError("a numpy scalar without a dtype")
    raw = _bytes(data)
    if (numpy := _numpy()) is not None:
        return numpy.frombuffer(raw, dtype=dtype.to_numpy(numpy), count=1)[0]
    order = dtype.order if dtype.order in "<>" else "="
    return struct.unpack(order + _STRUCT_CODES[dtype.code], raw)[0]


def _numpy_array(*args: Any) -> Any:
    """``numpy._core.multiarray._reconstruct``: an empty array; its data comes as state."""
    numpy = _numpy()
    return Inert("numpy.ndarray", args) if numpy is None else numpy.empty((0,), "b")


def _numpy_from_buffer(data: Any, dtype: Any, shape: Any, order: Any = "C", *_: Any) -> Any:
    """``numpy._core.numeric._frombuffer``, which protocol 5 uses."""
    numpy = _numpy()
    if numpy is None:
        return Inert("numpy.ndarray", (data, dtype, shape, order))
    if not isinstance(dtype, DType) or order not in ("C", "F"):
        raise TypeError("a numpy array without a dtype")
    return numpy.frombuffer(bytearray(_bytes(data)), dtype.to_numpy(numpy)).reshape(
        shape, order=order
    )


def _fill_array(array: Any, state: Any) -> None:
    _, shape, dtype, fortran, data = state
    if not isinstance(dtype, DType):
        raise TypeError("a numpy array without a dtype")
    array.__setstate__((1, shape, dtype.to_numpy(_numpy()), bool(fortran), _bytes(data)))


def fillers() -> dict[type, Callable[[Any, Any], None]]:
    """Type -> what gives an instance of it the state that a file has for it."""
    table: dict[type, Callable[[Any, Any], None]] = {
        DType: DType.fill,
        argparse.Namespace: _fill_namespace,
    }
    return table if (numpy := _numpy()) is None else {**table, numpy.ndarray: _fill_array}


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
    "_codecs.encode": _bytes,
    "argparse.Namespace": lambda: argparse.Namespace(),
    "brickwork_zoo.Inert": _again,
    "builtins.bytearray": lambda *args: bytearray(_bytes(*args)),
    "builtins.bytes": _bytes,
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
    "decimal.Decimal": _number(decimal.Decimal, r".{1,1000}"),
    "fractions.Fraction": _number(fractions.Fraction, r"-?\d{1,1000}(/\d{1,1000})?"),
    "numpy.dtype": DType,
    "numpy._core.numeric._frombuffer": _numpy_from_buffer,
    "numpy.core.numeric._frombuffer": _numpy_from_buffer,
    **{
        f"numpy.{core}.{name}": make
        for core in ("core.multiarray", "_core.multiarray")
        for name, make in (("scalar", _numpy_scalar), ("_reconstruct", _numpy_array))
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
    **dict.fromkeys(_DICT_TYPES, _mapping(dict)),
}


def _record(full: str) -> Callable[..., Inert]:
    return lambda *args: Inert(full, args)


REVIEWED: dict[str, Name] = {
    **{full: Name(full, make) for full, make in _CONSTRUCTORS.items()},
    **{full: Name(full, _record(full)) for full in _RECORD_TYPES},
}
