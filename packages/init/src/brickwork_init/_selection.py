"""Which modules, and which of their parameters, a rule means."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from operator import itemgetter
from typing import Any, TypeAlias

from brickwork_registry import suggest
from torch import Tensor, nn

from ._tree import Tree
from .errors import RuleTypeError

Layers: TypeAlias = str | type[nn.Module] | Sequence[str | type[nn.Module]]
Globs: TypeAlias = str | Sequence[str]
Predicate: TypeAlias = Callable[[str, nn.Module], bool]

EVERY = "*"  # as `layer`: modules of every class

Part: TypeAlias = tuple[str, bool]  # a parameter's name, and whether it is a bias
Selected: TypeAlias = tuple[nn.Module, Sequence[Part]]

USUAL: tuple[Part, ...] = (("weight", False), ("bias", True))


class _Meant(dict[type[nn.Module], bool]):
    """Whether modules of a class are meant by ``layer`` alone, worked out once for each class."""

    def __init__(self, layers: tuple[str | type[nn.Module], ...]) -> None:
        super().__init__()
        self.layers = layers

    def __missing__(self, kind: type[nn.Module]) -> bool:
        names = {kind.__name__, EVERY, *(base.__name__ for base in kind.__bases__)}
        self[kind] = answer = any(
            one in names if isinstance(one, str) else issubclass(kind, one) for one in self.layers
        )
        return answer

    def __reduce__(self) -> Any:
        return type(self), (self.layers,)  # without the answers: local classes do not pickle


class Selection:
    """What a rule selects: modules that meet every condition given; none without a condition.

    Args:
        layer: Names of classes, or of their direct bases, or classes, which also mean their
            subclasses; ``'*'`` means every class.
        match: Globs of dotted names, relative to the module that the rule belongs to. One that
            fits a module means its ``weight`` and ``bias``, one that fits a parameter means it.
        where: Called as ``where(name, module)`` for each module.

    Raises:
        RuleTypeError: If a condition is of the wrong type.
    """

    __slots__ = ("globs", "key", "layers", "meant", "where")

    def __init__(
        self,
        layer: Layers | None = None,
        match: Globs | None = None,
        where: Predicate | None = None,
    ) -> None:
        self.layers: tuple[str | type[nn.Module], ...] = _listed(
            "layer", layer, (str, type), "a str, a class or a list of these"
        )
        self.globs: tuple[str, ...] = _listed("match", match, (str,), "a str or a list of str")
        if where is not None and not callable(where):
            raise RuleTypeError(
                f"where must be a function of a name and a module, but got {where!r}", where
            )
        self.where = where
        self.meant = _Meant(self.layers)
        self.key = frozenset(self.layers)

    def __bool__(self) -> bool:
        return bool(self.layers or self.globs or self.where)

    @property
    def whole(self) -> bool:
        """Whether modules of every class are meant."""
        return EVERY in self.layers

    def find(self, tree: Tree, module: nn.Module) -> list[Selected]:
        """Find what is selected below `module`, children before their parent.

        Args:
            tree: A tree that holds `module`.
            module: The module that the rule belongs to.

        Returns:
            Modules with what is meant of their parameters, weights before biases.
        """
        if not (self.globs or self.where):
            return [(one, USUAL) for one in tree.select(module, self.key, self.meant)]
        found: list[Selected] = []
        for name, one in tree.below(module):
            if self.layers and not self.meant[type(one)]:
                continue
            if self.where and not self.where(name, one):
                continue
            if not self.globs or self._fits(name):
                found.append((one, USUAL))
                continue
            own = [part for part in one._parameters if self._fits(f"{name}.{part}".lstrip("."))]
            if own:
                parts = ((part, _bias_like(part)) for part in own)
                found.append((one, sorted(parts, key=itemgetter(1))))
        return found

    def _fits(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.globs)

    def hint(self, tree: Tree, module: nn.Module) -> str:
        """Say what there is that is close to what was not found."""
        classes = {type(one).__name__ for _, one in tree.below(module)}
        names = [name for name, _ in module.named_parameters()]
        names += [name for name, _ in module.named_modules() if name]
        hints = [suggest(one, sorted(classes)) for one in self.layers if isinstance(one, str)]
        hints += [suggest(glob, names) for glob in self.globs]
        hints = [hint for hint in hints if hint]
        if self.layers and not hints:
            hints = [f"there are modules of the classes {', '.join(sorted(classes))}"]
        return "; ".join(hints) or f"its parameters are {', '.join(names[:8]) or 'none'}"


def _bias_like(name: str) -> bool:
    """Whether a parameter of this name is a bias: ``bias``, ``in_proj_bias``, ..."""
    return name == "bias" or name.endswith("_bias")


def tensor_of(module: nn.Module, name: str) -> Tensor | None:
    """Return the tensor that a module has under a name, if it has one."""
    parameters: Mapping[str, Tensor | None] = getattr(module, "_parameters", {})  # None has none
    if name in parameters:  # most are; `getattr` looks for them last
        return parameters[name]
    tensor = getattr(module, name, None)
    return tensor if isinstance(tensor, Tensor) else None


def _listed(name: str, given: object, kinds: tuple[type, ...], allowed: str) -> tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, kinds):
        return (given,)
    if isinstance(given, list | tuple) and all(isinstance(one, kinds) for one in given):
        return tuple(given)
    raise RuleTypeError(f"{name} must be {allowed}, but got {given!r}", given)
