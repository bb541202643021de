"""Selection of modules, and of their parameters, by a rule."""

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

Parameter: TypeAlias = tuple[str, bool]  # its name, and whether it is a bias
Selected: TypeAlias = tuple[nn.Module, Sequence[Parameter]]

USUAL: tuple[Parameter, ...] = (("weight", False), ("bias", True))


class _SelectedClasses(dict[type[nn.Module], bool]):
    """Whether ``layer`` selects modules of a class, computed once for each class."""

    def __init__(self, layers: tuple[str | type[nn.Module], ...]) -> None:
        super().__init__()
        self.layers = layers

    def __missing__(self, cls: type[nn.Module]) -> bool:
        names = {cls.__name__, EVERY, *(base.__name__ for base in cls.__bases__)}
        self[cls] = selected = any(
            layer in names if isinstance(layer, str) else issubclass(cls, layer)
            for layer in self.layers
        )
        return selected

    def __reduce__(self) -> Any:
        return type(self), (self.layers,)  # without the classes seen: local ones do not pickle


class Selection:
    """Selection of modules that meet every given condition; of none without a condition.

    Args:
        layer: Names of classes or of their direct bases, or classes, which include their
            subclasses; ``'*'`` selects every class.
        match: Globs of dotted names, relative to the module that has the rule. The name of a
            module selects its ``weight`` and ``bias``, that of a parameter selects it.
        where: Predicate, called as ``where(name, module)`` for each module.

    Raises:
        RuleTypeError: If a condition is of the wrong type.
    """

    __slots__ = ("classes", "globs", "key", "layers", "where")

    def __init__(
        self,
        layer: Layers | None = None,
        match: Globs | None = None,
        where: Predicate | None = None,
    ) -> None:
        self.layers: tuple[str | type[nn.Module], ...] = _as_tuple(
            "layer", layer, (str, type), "a str, a class or a list of these"
        )
        self.globs: tuple[str, ...] = _as_tuple("match", match, (str,), "a str or a list of str")
        if where is not None and not callable(where):
            raise RuleTypeError(
                f"where must be a function of a name and a module, got {where!r}", where
            )
        self.where = where
        self.classes = _SelectedClasses(self.layers)
        self.key = frozenset(self.layers)

    def __bool__(self) -> bool:
        return bool(self.layers or self.globs or self.where)

    @property
    def selects_every_class(self) -> bool:
        """Whether ``layer`` selects modules of every class."""
        return EVERY in self.layers

    def find(self, tree: Tree, module: nn.Module) -> list[Selected]:
        """Return what is selected below a module, children before their parent.

        Args:
            tree: A tree that holds `module`.
            module: The module that has the rule.

        Returns:
            Modules with their selected parameters, weights before biases.
        """
        if not (self.globs or self.where):
            return [(found, USUAL) for found in tree.select(module, self.key, self.classes)]
        selected: list[Selected] = []
        for name, inner in tree.below(module):
            if self.layers and not self.classes[type(inner)]:
                continue
            if self.where and not self.where(name, inner):
                continue
            if not self.globs or self._matches(name):
                selected.append((inner, USUAL))
                continue
            prefix = f"{name}." if name else ""
            parameters = [
                (parameter, _is_bias(parameter))
                for parameter in inner._parameters
                if self._matches(prefix + parameter)
            ]
            if parameters:
                selected.append((inner, sorted(parameters, key=itemgetter(1))))
        return selected

    def _matches(self, name: str) -> bool:
        return any(fnmatchcase(name, glob) for glob in self.globs)

    def hint(self, tree: Tree, module: nn.Module) -> str:
        """Return what exists that is similar to what was not found."""
        classes = sorted({type(inner).__name__ for _, inner in tree.below(module)})
        names = [name for name, _ in module.named_parameters()]
        names += [name for name, _ in module.named_modules() if name]
        hints = [suggest(layer, classes) for layer in self.layers if isinstance(layer, str)]
        hints += [suggest(glob, names) for glob in self.globs]
        hints = [hint for hint in hints if hint]
        if self.layers and not hints:
            hints = [f"its modules are of the classes {', '.join(classes)}"]
        return "; ".join(hints) or f"its parameters are {', '.join(names[:8]) or 'none'}"


def _is_bias(name: str) -> bool:
    """Whether a parameter of this name is a bias: ``bias``, ``in_proj_bias``, ..."""
    return name == "bias" or name.endswith("_bias")


def tensor_of(module: nn.Module, name: str) -> Tensor | None:
    """Return the tensor that a module has under a name, if it has one."""
    # `getattr` looks for parameters last. Other objects than modules are ignored, as in mmcv.
    parameters: Mapping[str, Tensor | None] = getattr(module, "_parameters", {})
    if name in parameters:
        return parameters[name]
    tensor = getattr(module, name, None)
    return tensor if isinstance(tensor, Tensor) else None


def _as_tuple(name: str, value: object, types: tuple[type, ...], allowed: str) -> tuple[Any, ...]:
    if value is None:
        return ()
    if isinstance(value, types):
        return (value,)
    if isinstance(value, list | tuple) and all(isinstance(item, types) for item in value):
        return tuple(value)
    raise RuleTypeError(f"{name} must be {allowed}, got {value!r}", value)
