"""Construction of numpy scalars and arrays from pickled data, with or without numpy installed."""

from __future__ import annotations

import struct
from typing import Any

from ._opaque_object import OpaqueObject


def to_bytes(text: Any = b"", encoding: Any = "latin-1") -> bytes:
    """Return bytes, which protocol 2 pickles as text with an encoding."""
    if isinstance(text, bytes | bytearray):
        return bytes(text)
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1", "utf-8"):
        raise ValueError(f"bytes must be latin-1 or utf-8 text, got a {type(text).__name__}")
    return text.encode(encoding)


class NumpyDType:
    """A numpy dtype, represented without numpy: kind and size; `set_state` adds the byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        code = code.decode("ascii") if isinstance(code, bytes) else code
        if not isinstance(code, str) or code[:1] not in "biufcSUMm?" or len(code) > 8:
            raise ValueError("a numpy dtype is not a plain scalar type")
        self.code = code
        self.order = "="
        self.unit = ""  # such as "[D]"; only datetime64 and timedelta64 have one

    def set_state(self, state: Any) -> None:
        """Set byte order and unit from the pickled state of a numpy dtype."""
        order, fields = state[1], state[3]
        if fields is not None or order not in ("<", ">", "|", "="):
            raise ValueError("a numpy dtype has fields or an unknown byte order")
        self.order = order
        if self.code[:1] in "Mm":
            _, (unit, count, *_) = state[8]
            self.unit = f"[{int(count)}{unit.decode('ascii')}]"

    def to_numpy(self, numpy: Any) -> Any:
        """Return the `numpy.dtype`."""
        dtype = numpy.dtype(self.code + self.unit)
        return dtype.newbyteorder(self.order) if self.order in "<>" else dtype

    def __reduce__(self) -> tuple[Any, ...]:
        if (numpy := numpy_or_none()) is None:
            return OpaqueObject, ("numpy.dtype", (self.code, self.order))
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
    """Return the module numpy, or None if it is not installed."""
    try:
        import numpy  # optional
    except ImportError:
        return None
    return numpy


def numpy_scalar(dtype: Any, data: Any = b"") -> Any:
    """Return a numpy scalar, or without numpy a Python number or opaque object."""
    if not isinstance(dtype, NumpyDType):
        raise TypeError("a numpy scalar has no dtype")
    raw = to_bytes(data)
    if (numpy := numpy_or_none()) is not None:
        return numpy.frombuffer(raw, dtype=dtype.to_numpy(numpy), count=1)[0]
    order = dtype.order if dtype.order in "<>" else "="
    if dtype.code not in _STRUCT_CODES:  # text or a date
        return OpaqueObject("numpy.generic", (dtype.code + dtype.unit, raw))
    return struct.unpack(order + _STRUCT_CODES[dtype.code], raw)[0]


def numpy_array(*args: Any) -> Any:
    """Return an empty array (``_reconstruct``); `set_array_state` fills it."""
    numpy = numpy_or_none()
    return OpaqueObject("numpy.ndarray", args) if numpy is None else numpy.empty((0,), "b")


def numpy_from_buffer(data: Any, dtype: Any, shape: Any, order: Any = "C", *_: Any) -> Any:
    """Return an array with the values in `data` (``_frombuffer`` of protocol 5)."""
    numpy = numpy_or_none()
    if numpy is None:
        return OpaqueObject("numpy.ndarray", (data, dtype, shape, order))
    if not isinstance(dtype, NumpyDType) or order not in ("C", "F"):
        raise TypeError("a numpy array has no dtype or an unknown order")
    return numpy.frombuffer(bytearray(to_bytes(data)), dtype.to_numpy(numpy)).reshape(
        shape, order=order
    )


def set_array_state(array: Any, state: Any) -> None:
    """Set shape, dtype and data of an array from its pickled state."""
    _, shape, dtype, fortran, data = state
    if not isinstance(dtype, NumpyDType):
        raise TypeError("a numpy array has no dtype")
    array.__setstate__((1, shape, dtype.to_numpy(numpy_or_none()), bool(fortran), to_bytes(data)))
