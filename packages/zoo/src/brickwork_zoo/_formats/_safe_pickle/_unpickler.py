"""An unpickler that imports no names and runs no code from the pickle.

A pickle is a program for a stack machine, and may import any name and call it. This unpickler
executes only the instructions that build data. It looks names up in a table. Names that are not in
the table are recorded as unknown and their objects become :class:`OpaqueObject`, so that one pass
finds all unknown names of a file. It needs only the standard library and has no global effects.
"""

from __future__ import annotations

import pickletools
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ._opaque_object import BrokenPickleError, OpaqueObject, PickledGlobal, checked_key

# Python 2 name -> Python 3 name; protocol 2 writes the old names.
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}

_MARK = object()
_DICTS = (dict, OrderedDict, Counter)


class SafeUnpickler:
    """Unpickler for one pickle.

    Args:
        table: Full name -> a :class:`PickledGlobal`, or a value such as a dtype.
        load_storage: Returns the storage for a persistent id; None if there are no storages.
        set_state: Type -> function that sets the pickled state of an instance.

    Attributes:
        unknown: Full names in the pickle that are not in the table.
        known: Full names in the pickle that are in the table.
    """

    def __init__(
        self,
        table: Mapping[str, Any],
        load_storage: Callable[[Any], Any] | None = None,
        set_state: Mapping[type, Callable[[Any, Any], None]] | None = None,
    ) -> None:
        self.unknown: dict[str, None] = {}
        self.known: dict[str, None] = {}
        self._table = table
        self._load_storage = load_storage
        self._set_state = set_state or {}
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self, stream: BinaryIO) -> Any:
        """Read one pickle.

        Args:
            stream: Positioned at the first byte of the pickle; afterwards after its last byte.

        Returns:
            The unpickled data.

        Raises:
            BrokenPickleError: If the pickle is damaged or uses unsupported instructions.
        """
        try:
            while (code := stream.read(1)) != _STOP:
                if code not in _INSTRUCTIONS:
                    raise BrokenPickleError(
                        f"unknown pickle instruction {code!r}" if code else "the pickle ends early"
                    )
                name, act, read = _INSTRUCTIONS[code]
                if act is None:
                    raise BrokenPickleError(f"unsupported pickle instruction {name}")
                act(self) if read is None else act(self, read(stream))
            return self._pop()
        except BrokenPickleError:
            raise
        except Exception as error:  # damaged data raises many types
            raise BrokenPickleError(f"{type(error).__name__}: {error}") from error

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise BrokenPickleError("unexpected mark on the stack")
        return value

    def _pop_to_mark(self) -> list[Any]:
        items: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            items.append(value)
        return items[::-1]

    def _push(self, value: Any) -> None:
        self._stack.append(value)

    def _look_up(self, module: str, name: str) -> None:
        full = f"{_OLD_MODULES.get(module, module)}.{name}"
        if full in self._table:
            self.known[full] = None
            self._push(self._table[full])
        else:
            self.unknown[full] = None
            self._push(_unknown_global(full))

    def _look_up_from_stack(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise BrokenPickleError("a global name is not a string")
        self._look_up(module, name)

    def _call(self) -> None:
        args, function = self._pop(), self._pop()
        if isinstance(function, OpaqueObject):  # for example a method, pickled as a getattr call
            parts = [getattr(arg, "full_name", arg) for arg in function.args]
            full = ".".join(part for part in parts if type(part) is str) or function.type_name
            self.unknown[full] = None
            function = _unknown_global(full)
        if type(function) is not PickledGlobal:
            raise BrokenPickleError(f"cannot call a {type(function).__name__}")
        if type(args) is not tuple:
            raise BrokenPickleError(f"the arguments of {function.full_name} are not a tuple")
        self._push(function.call(*args))

    def _call_with_keywords(self) -> None:
        if self._pop():
            raise BrokenPickleError("calls with keyword arguments are not supported")
        self._call()

    def _build(self) -> None:
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, OpaqueObject):
            target.state = state
        elif type(target) is OrderedDict:
            # State dicts keep the versions of the modules in the attribute `_metadata`.
            if isinstance(state, dict) and isinstance(state.get("_metadata"), dict):
                target._metadata = state["_metadata"]  # type: ignore[attr-defined]
        elif type(target) in _DICTS:
            pass  # the attributes of a subclass of dict are dropped
        elif (set_state := self._set_state.get(type(target))) is not None:
            set_state(target, state)
        else:
            raise BrokenPickleError(f"cannot set the state of a {type(target).__name__}")

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target.extend(items)
        elif isinstance(target, OpaqueObject):
            target.items.extend(items)
        else:
            raise BrokenPickleError(f"cannot append items to a {type(target).__name__}")

    def _add(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not set:
            raise BrokenPickleError(f"cannot add members to a {type(target).__name__}")
        target.update(map(checked_key, items))

    def _set_items(self, flat: list[Any]) -> None:
        target = self._stack[-1]
        pairs = list(_pairs(flat))
        if type(target) in _DICTS:
            for key, value in pairs:
                target[checked_key(key)] = value
        elif isinstance(target, OpaqueObject):
            target.items.extend(pairs)
        else:
            raise BrokenPickleError(f"cannot set items of a {type(target).__name__}")

    def _put(self, index: int) -> None:
        if self._stack[-1] is _MARK:
            raise BrokenPickleError("unexpected mark on the stack")
        self._memo[index] = self._stack[-1]

    def _push_storage(self) -> None:
        identity = self._pop()
        if self._load_storage is None:
            raise BrokenPickleError("this pickle must not refer to tensor storages")
        self._push(self._load_storage(identity))

    def _tuple(self, length: int) -> None:
        items = tuple(self._stack[len(self._stack) - length :])
        if len(items) != length or _MARK in items:
            raise BrokenPickleError("too few items on the stack for a tuple")
        del self._stack[len(self._stack) - length :]
        self._push(items)


def _unknown_global(full_name: str) -> PickledGlobal:
    return PickledGlobal(full_name, lambda *args: OpaqueObject(full_name, args))


def _pairs(flat: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _pop_pair(unpickler: SafeUnpickler) -> list[Any]:
    value, key = unpickler._pop(), unpickler._pop()
    return [key, value]


def _skip(unpickler: SafeUnpickler, arg: Any = None) -> None:
    """Do nothing: the action of instructions that build no data."""


# Instruction -> function of the unpickler and the instruction's argument, if it has one.
# All other instructions raise an error.
_ACTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _skip),
    **dict.fromkeys(
        (
            *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
            *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
            *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
            *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        ),
        SafeUnpickler._push,
    ),
    "NONE": lambda u: u._push(None),
    "NEWTRUE": lambda u: u._push(True),
    "NEWFALSE": lambda u: u._push(False),
    "EMPTY_LIST": lambda u: u._push([]),
    "EMPTY_DICT": lambda u: u._push({}),
    "EMPTY_SET": lambda u: u._push(set()),
    "EMPTY_TUPLE": lambda u: u._push(()),
    "TUPLE1": lambda u: u._tuple(1),
    "TUPLE2": lambda u: u._tuple(2),
    "TUPLE3": lambda u: u._tuple(3),
    "TUPLE": lambda u: u._push(tuple(u._pop_to_mark())),
    "LIST": lambda u: u._push(u._pop_to_mark()),
    "DICT": lambda u: u._push({checked_key(k): v for k, v in _pairs(u._pop_to_mark())}),
    "FROZENSET": lambda u: u._push(frozenset(map(checked_key, u._pop_to_mark()))),
    "MARK": lambda u: u._push(_MARK),
    "POP": lambda u: u._stack.pop(),
    "POP_MARK": SafeUnpickler._pop_to_mark,
    "DUP": lambda u: u._push(u._stack[-1]),
    "APPEND": lambda u: u._extend([u._pop()]),
    "APPENDS": lambda u: u._extend(u._pop_to_mark()),
    "ADDITEMS": lambda u: u._add(u._pop_to_mark()),
    "SETITEM": lambda u: u._set_items(_pop_pair(u)),
    "SETITEMS": lambda u: u._set_items(u._pop_to_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), SafeUnpickler._put),
    "MEMOIZE": lambda u: u._put(len(u._memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda u, index: u._push(u._memo[index])),
    "GLOBAL": lambda u, pair: u._look_up(*pair.split(" ", 1)),
    "STACK_GLOBAL": SafeUnpickler._look_up_from_stack,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), SafeUnpickler._call),
    "NEWOBJ_EX": SafeUnpickler._call_with_keywords,
    "BUILD": SafeUnpickler._build,
    "BINPERSID": SafeUnpickler._push_storage,
}

# Opcode byte -> instruction name, action (None if unsupported), reader of the argument.
_STOP = b"."
_INSTRUCTIONS = {
    opcode.code.encode("latin-1"): (
        opcode.name,
        _ACTIONS.get(opcode.name),
        opcode.arg.reader if opcode.arg else None,
    )
    for opcode in pickletools.opcodes
}
