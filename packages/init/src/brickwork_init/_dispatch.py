"""The one dispatch mode of this package, and the facts about operators that its users ask for.

It is active only while user-defined code runs: `init_weights` methods and initializers inside an
initialization session (`_user_code`), and constructors under `deferred` (`_construction`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

Intercept: TypeAlias = Callable[[Any, tuple[Any, ...], dict[str, Any]], Any]


class DispatchMode(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch has no types here
    """Pass every operator that runs while the mode is active to a function.

    Args:
        intercept: Called with the operator and its arguments; returns the result.
    """

    def __init__(self, intercept: Intercept) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self._intercept = intercept

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # True, the default, imports torch._dynamo at the first call: most of a second.
        return False

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        return self._intercept(func, args, kwargs or {})


class Operator(NamedTuple):
    """Facts about an operator.

    Args:
        written: Position and name of each argument that it writes.
        draws: Whether it draws random numbers.
        takes_device: Whether it has an argument ``device``.
    """

    written: tuple[tuple[int, str], ...]
    draws: bool
    takes_device: bool

    def tensors_written(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
        """Return the tensors among the arguments of a call that it writes."""
        values = [args[at] if at < len(args) else kwargs.get(name) for at, name in self.written]
        return tensors_in(values)


@cache  # user code calls few operators many times, and schemas are slow to query
def operator(func: Any) -> Operator:
    """Return the facts about an operator."""
    arguments = func._schema.arguments
    return Operator(
        tuple(
            (at, argument.name)
            for at, argument in enumerate(arguments)
            if argument.alias_info is not None and argument.alias_info.is_write
        ),
        torch.Tag.nondeterministic_seeded in func.tags,
        any(argument.name == "device" for argument in arguments),
    )


def tensors_in(values: Any) -> list[Tensor]:
    """Return the tensors among values, and in lists and tuples among them."""
    tensors: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            tensors.append(value)
        elif isinstance(value, list | tuple):
            tensors += tensors_in(value)
    return tensors


def storage_key(tensor: Tensor) -> int:
    """Return a number that is unique to a storage as long as that exists."""
    key: int = tensor.untyped_storage()._cdata
    return key
