"""numpy's scalars and arrays, made of what a pickle has for them, whether or not numpy is there."""

from __future__ import annotations

import struct
from typing import Any

from ._opaque_object import Inert


def to_bytes(text: Any = b"", encoding: Any = "latin-1") -> bytes:
    """Bytes as protocol 2 spells them: text and its encoding."""
    if isinstance(text, bytes | bytearray):
        return bytes(text)
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8"):
        raise ValueError(f"bytes from a {type(text).__name__}, or in an odd encoding")
    return text.encode(encoding)


class DType:
    """A numpy dtype, without numpy: its kind and size, and the byte order filled in later."""

    def __init__(self, code: Any, *_: Any) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or code[:1] not in "biufcSUMm?" or len(code) > 8:
            raise ValueError("a numpy dtype that holds more than plain numbers")
        self.code = code
        self.order = "="
        self.unit = ""  # of dates and spans, as "[D]"

    def fill(self, state: Any) -> None:
        """Take the state that numpy gives its dtypes."""
        order, fields = state[1], state[3]
        if fields is not None or order not in ("<", ">", "|", "="):
            raise ValueError("numpy dtype with fields")
        self.order = order
        if self.code[:1] in "Mm":
            _, (unit, count, *_) = state[8]
            self.unit = f"[{int(count)}{unit.decode('ascii')}]"

    def to_numpy(self, numpy: Any) -> Any:
        """The dtype of numpy itself."""
        dtype = numpy.dtype(self.code + self.unit)
        return dtype.newbyteorder(self.order) if self.order in "<>" else dtype

    def __reduce__(self) -> tuple[Any, ...]:
        if (numpy := numpy_or_none()) is None:
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


def numpy_or_none() -> Any:
    try:
        import numpy  # optional: torch does without it
    except ImportError:
        return None
    return numpy


def numpy_scalar(dtype: Any, data: Any = b"") -> Any:
    if not isinstance(dtype, DType):
        raise TypeError("a numpy scalar without a dtype")
    raw = to_bytes(data)
    if (numpy := numpy_or_none()) is not None:
        return numpy.frombuffer(raw, dtype=dtype.to_numpy(numpy), count=1)[0]
    order = dtype.order if dtype.order in "<>" else "="
    if dtype.code not in _STRUCT_CODES:  # text, or a date
        return Inert("numpy.generic", (dtype.code + dtype.unit, raw))
    return struct.unpack(order + _STRUCT_CODES[dtype.code], raw)[0]


def numpy_array(*args: Any) -> Any:
    """``numpy._core.multiarray._reconstruct``: an empty array; its data comes as state."""
    numpy = numpy_or_none()
    return Inert("numpy.ndarray", args) if numpy is None else numpy.empty((0,), "b")


def numpy_from_buffer(data: Any, dtype: Any, shape: Any, order: Any = "C", *_: Any) -> Any:
    """``numpy._core.numeric._frombuffer``, which protocol 5 uses."""
    numpy = numpy_or_none()
    if numpy is None:
        return Inert("numpy.ndarray", (data, dtype, shape, order))
    if not isinstance(dtype, DType) or order not in ("C", "F"):
        raise TypeError("a numpy array without a dtype")
    return numpy.frombuffer(bytearray(to_bytes(data)), dtype.to_numpy(numpy)).reshape(
        shape, order=order
    )


def fill_array(array: Any, state: Any) -> None:
    _, shape, dtype, fortran, data = state
    if not isinstance(dtype, DType):
        raise TypeError("a numpy array without a dtype")
    array.__setstate__((1, shape, dtype.to_numpy(numpy_or_none()), bool(fortran), to_bytes(data)))
