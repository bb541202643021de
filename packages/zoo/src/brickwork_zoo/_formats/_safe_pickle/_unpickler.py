"""Reading pickles as data: no name in a file is ever imported, no code of it ever runs.

A pickle is a program for a small stack machine whose instructions may import any name and call it.
This machine carries out the instructions that build data. A name is only looked up in a table
that the caller gives; what the table does not have becomes an :class:`Inert` record and is noted,
so that one pass tells everything that a file asks for. Nothing is needed but the standard library,
and nothing global is changed, so that threads do not meet.
"""

from __future__ import annotations

import pickletools
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from ._opaque_object import BrokenPickleError, Inert, Name, checked_key

# Names that Python 2, or protocol 2, spells differently.
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}

_MARK = object()
_DICTS = (dict, OrderedDict, Counter)


class Machine:
    """Reads one pickle from a binary stream.

    Args:
        names: Full name -> what stands for it; a :class:`Name`, or a value such as a dtype.
        persistent: Called with what the file gives as the identity of a storage.
        fill: Type -> what gives an instance of it the state that the file has for it.

    Attributes:
        unknown: The full names that the file mentions and that ``names`` does not have.
        known: Those that it has.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        persistent: Callable[[Any], Any] | None = None,
        fill: Mapping[type, Callable[[Any, Any], None]] | None = None,
    ) -> None:
        self.unknown: dict[str, None] = {}
        self.known: dict[str, None] = {}
        self._names = names
        self._persistent = persistent
        self._fill = fill or {}
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self, stream: BinaryIO) -> Any:
        """Read one pickle, up to its STOP.

        Args:
            stream: Positioned at the pickle's begin; afterwards right behind it.

        Returns:
            The data.

        Raises:
            BrokenPickleError: It cannot be read.
        """
        try:
            while (code := stream.read(1)) != _STOP:
                if code not in _INSTRUCTIONS:
                    raise BrokenPickleError(f"{code!r} is no instruction" if code else "cut off")
                name, act, read = _INSTRUCTIONS[code]
                if act is None:
                    raise BrokenPickleError(f"instruction {name} has no use in data")
                act(self) if read is None else act(self, read(stream))
            return self._pop()
        except BrokenPickleError:
            raise
        except Exception as error:  # garbled data fails anywhere, in any way; nothing has been run
            raise BrokenPickleError(f"{type(error).__name__}: {error}") from error

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise BrokenPickleError("unexpected mark")
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
        if full in self._names:
            self.known[full] = None
            self._push(self._names[full])
        else:
            self.unknown[full] = None
            self._push(_stranger(full))

    def _look_up_from_stack(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise BrokenPickleError("a name that is no string")
        self._look_up(module, name)

    def _call(self) -> None:
        args, name = self._pop(), self._pop()
        if isinstance(name, Inert):  # of a method, say, that getattr would have found
            parts = [getattr(arg, "full", arg) for arg in name.args]
            full = ".".join(part for part in parts if type(part) is str) or name.type_name
            self.unknown[full] = None
            name = _stranger(full)
        if type(name) is not Name:
            raise BrokenPickleError(f"a call of {type(name).__name__}, which is no name")
        if type(args) is not tuple:
            raise BrokenPickleError(f"a call of {name.full} without a tuple of arguments")
        self._push(name.make(*args))

    def _call_with_keywords(self) -> None:
        if self._pop():
            raise BrokenPickleError("a call with keyword arguments")
        self._call()

    def _build(self) -> None:
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, Inert):
            target.state = state
        elif type(target) is OrderedDict:
            # A state dict keeps the versions of its modules beside its items, as an attribute.
            if isinstance(state, dict) and isinstance(state.get("_metadata"), dict):
                target._metadata = state["_metadata"]  # type: ignore[attr-defined]
        elif type(target) in _DICTS:
            pass  # attributes of what was a subclass of dict: its items are all that is kept
        elif (fill := self._fill.get(type(target))) is not None:
            fill(target, state)
        else:
            raise BrokenPickleError(f"a state for a {type(target).__name__}")

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is list:
            target.extend(items)
        elif isinstance(target, Inert):
            target.items.extend(items)
        else:
            raise BrokenPickleError(f"items for a {type(target).__name__}")

    def _add(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if type(target) is not set:
            raise BrokenPickleError(f"members for a {type(target).__name__}")
        target.update(map(checked_key, items))

    def _set_items(self, flat: list[Any]) -> None:
        target = self._stack[-1]
        pairs = list(_pairs(flat))
        if type(target) in _DICTS:
            for key, value in pairs:
                target[checked_key(key)] = value
        elif isinstance(target, Inert):
            target.items.extend(pairs)
        else:
            raise BrokenPickleError(f"pairs for a {type(target).__name__}")

    def _put(self, index: int) -> None:
        if self._stack[-1] is _MARK:
            raise BrokenPickleError("unexpected mark")
        self._memo[index] = self._stack[-1]

    def _persistent_load(self) -> None:
        identity = self._pop()
        if self._persistent is None:
            raise BrokenPickleError("a storage where none can be")
        self._push(self._persistent(identity))

    def _tuple(self, length: int) -> None:
        items = tuple(self._stack[len(self._stack) - length :])
        if len(items) != length or _MARK in items:
            raise BrokenPickleError("a tuple without enough items")
        del self._stack[len(self._stack) - length :]
        self._push(items)


def _stranger(full: str) -> Name:
    return Name(full, lambda *args: Inert(full, args))


def _pairs(flat: list[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _two_last(machine: Machine) -> list[Any]:
    value, key = machine._pop(), machine._pop()
    return [key, value]


def _nothing(machine: Machine, arg: Any = None) -> None:
    """For instructions that carry no data."""


# Instruction -> what it does with the machine, and with its own argument where it has one; what is
# not here is refused.
_ACTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), _nothing),
    **dict.fromkeys(
        (
            *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"),
            *("FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING"),
            *("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
            *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        ),
        Machine._push,
    ),
    "NONE": lambda m: m._push(None),
    "NEWTRUE": lambda m: m._push(True),
    "NEWFALSE": lambda m: m._push(False),
    "EMPTY_LIST": lambda m: m._push([]),
    "EMPTY_DICT": lambda m: m._push({}),
    "EMPTY_SET": lambda m: m._push(set()),
    "EMPTY_TUPLE": lambda m: m._push(()),
    "TUPLE1": lambda m: m._tuple(1),
    "TUPLE2": lambda m: m._tuple(2),
    "TUPLE3": lambda m: m._tuple(3),
    "TUPLE": lambda m: m._push(tuple(m._pop_to_mark())),
    "LIST": lambda m: m._push(m._pop_to_mark()),
    "DICT": lambda m: m._push({checked_key(k): v for k, v in _pairs(m._pop_to_mark())}),
    "FROZENSET": lambda m: m._push(frozenset(map(checked_key, m._pop_to_mark()))),
    "MARK": lambda m: m._push(_MARK),
    "POP": lambda m: m._stack.pop(),
    "POP_MARK": Machine._pop_to_mark,
    "DUP": lambda m: m._push(m._stack[-1]),
    "APPEND": lambda m: m._extend([m._pop()]),
    "APPENDS": lambda m: m._extend(m._pop_to_mark()),
    "ADDITEMS": lambda m: m._add(m._pop_to_mark()),
    "SETITEM": lambda m: m._set_items(_two_last(m)),
    "SETITEMS": lambda m: m._set_items(m._pop_to_mark()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), Machine._put),
    "MEMOIZE": lambda m: m._put(len(m._memo)),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, index: m._push(m._memo[index])),
    "GLOBAL": lambda m, pair: m._look_up(*pair.split(" ", 1)),
    "STACK_GLOBAL": Machine._look_up_from_stack,
    **dict.fromkeys(("REDUCE", "NEWOBJ"), Machine._call),
    "NEWOBJ_EX": Machine._call_with_keywords,
    "BUILD": Machine._build,
    "BINPERSID": Machine._persistent_load,
}

# By its byte in the file: an instruction's name, its action and what reads its own argument.
_STOP = b"."
_INSTRUCTIONS = {
    opcode.code.encode("latin-1"): (
        opcode.name,
        _ACTIONS.get(opcode.name),
        opcode.arg.reader if opcode.arg else None,
    )
    for opcode in pickletools.opcodes
}
