"""The dtypes of tensors in checkpoints: torch's names, sizes and names in safetensors files."""

from __future__ import annotations

MAX_DIMENSIONS = 64  # the limit of most torch operations

# Name in torch, bytes per element, name in the safetensors format (None: not supported there).
_TABLE: tuple[tuple[str, int, str | None], ...] = (
    ("bool", 1, "BOOL"),
    ("uint8", 1, "U8"),
    ("int8", 1, "I8"),
    ("uint16", 2, "U16"),
    ("int16", 2, "I16"),
    ("uint32", 4, "U32"),
    ("int32", 4, "I32"),
    ("uint64", 8, "U64"),
    ("int64", 8, "I64"),
    ("float4_e2m1fn_x2", 1, "F4"),  # two numbers in a byte
    ("float8_e4m3fn", 1, "F8_E4M3"),
    ("float8_e4m3fnuz", 1, "F8_E4M3FNUZ"),
    ("float8_e5m2", 1, "F8_E5M2"),
    ("float8_e5m2fnuz", 1, "F8_E5M2FNUZ"),
    ("float8_e8m0fnu", 1, "F8_E8M0"),
    ("float16", 2, "F16"),
    ("bfloat16", 2, "BF16"),
    ("float32", 4, "F32"),
    ("float64", 8, "F64"),
    ("complex32", 4, None),
    ("complex64", 8, "C64"),
    ("complex128", 16, None),
    ("quint8", 1, None),
    ("qint8", 1, None),
    ("qint32", 4, None),
    ("quint4x2", 1, None),
    ("quint2x4", 1, None),
)

ITEM_SIZES: dict[str, int] = {name: size for name, size, _ in _TABLE}
"""Name in torch -> bytes per element."""

SAFETENSORS_NAMES: dict[str, str] = {name: short for name, _, short in _TABLE if short}
"""Name in torch -> name in the safetensors format."""

PACKED = {"float4_e2m1fn_x2": 2}
"""Name in torch -> numbers per element; a safetensors header counts the numbers."""
