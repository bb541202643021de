"""The base class of initializers, and the registry of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, TypeAlias

import torch
from brickwork_registry import Registry
from torch import Tensor, nn

from ._records import slots_below
from ._selection import USUAL, Globs, Layers, Predicate, Selection, tensor_of
from ._session import current_session, initialization_session
from ._sharded import fill_tensor
from ._tree import Tree
from .errors import RuleError, RuleTypeError, UnmatchedRuleWarning

Fill: TypeAlias = Callable[[Tensor], object]

INITIALIZERS: Registry[Any] = Registry("initializers", scope="brickwork")
INITIALIZERS.declare_provider(
    ("Pretrained", "PretrainedInit"), distribution="brickwork-zoo[torch]", module="brickwork_zoo"
)


def bias_init_with_prob(prior_prob: float) -> float:
    """Return the bias for which a sigmoid gives a probability.

    ``-log((1 - p) / p)``, from `Focal Loss for Dense Object Detection
    <https://arxiv.org/abs/1708.02002>`_.

    Args:
        prior_prob: The probability, between 0 and 1, both excluded.

    Returns:
        The bias.

    Raises:
        RuleError: If `prior_prob` is not a probability.
    """
    if not 0 < prior_prob < 1:
        raise RuleError(f"prior_prob must be between 0 and 1, got {prior_prob!r}", prior_prob)
    return float(-math.log((1 - prior_prob) / prior_prob))


class Initializer:
    """Base of initializers, which fill weights in one way, and biases with a constant.

    A subclass defines how a weight is filled, in `fill`. It may override `fill_bias`, `part`, or
    `__call__` to do something else altogether.

    Args:
        bias: Value for biases.
        bias_prob: Probability from which to compute `bias` instead, see `bias_init_with_prob`.
        layer: Select modules by class: names of classes or of their direct bases, or classes
            (which include their subclasses); ``'*'`` selects modules of every class.
        match: Select by globs of dotted names, relative to the module that has the rule. A
            module's name selects its weight and bias, a parameter's name selects it.
        where: Select by a predicate, called as ``where(name, module)``.

    Raises:
        RuleTypeError: If an argument is of the wrong type.
        RuleError: If `bias_prob` is not a probability.

    Attributes:
        loads_weights: Whether this class of initializers loads a checkpoint instead of filling.
    """

    loads_weights: ClassVar[bool] = False

    def __init__(
        self,
        *,
        bias: float = 0,
        bias_prob: float | None = None,
        layer: Layers | None = None,
        match: Globs | None = None,
        where: Predicate | None = None,
    ) -> None:
        if not isinstance(bias, int | float):
            raise RuleTypeError(f"bias must be a number, got {bias!r}", bias)
        if bias_prob is not None:
            if not isinstance(bias_prob, float):
                raise RuleTypeError(f"bias_prob must be a float, got {bias_prob!r}", bias_prob)
            bias = bias_init_with_prob(bias_prob)
        self.bias = bias
        self._selection = Selection(layer, match, where)

    @property
    def layer(self) -> list[str | type[nn.Module]]:
        """The selected classes."""
        return list(self._selection.layers)

    @property
    def selects(self) -> bool:
        """Whether anything is selected; a rule with only an override selects nothing itself."""
        return bool(self._selection)

    @property
    def wholemodule(self) -> bool:
        """Whether modules of every class are selected."""
        return self._selection.selects_every_class

    def fill(self, weight: Tensor) -> object:
        """Fill a weight in place, while no gradients are recorded.

        Args:
            weight: A plain tensor; if the weight is sharded, one of its global shape.
        """
        raise NotImplementedError(f"{type(self).__name__} must define fill(weight)")

    def fill_bias(self, bias: Tensor) -> object:
        """Fill a bias in place."""
        return bias.fill_(self.bias)

    def part(self, module: nn.Module) -> nn.Module:
        """Return the part of a selected module that is filled: by default the module itself."""
        return module

    def __call__(self, module: nn.Module) -> None:
        """Fill what this initializer selects of a module and its descendants.

        Args:
            module: The module that the rule belongs to.
        """
        session = current_session()
        if session is None:
            with initialization_session(module):
                return self(module)
        tree = session.tree(module)
        selected = self._selection.find(tree, module)
        text, depths = session.text(self), tree.depths
        depth = depths[module]
        for target, parameters in selected:
            part = self.part(target)
            source = "rule", text, depths[part] - depth if part in depths else None
            for name, is_bias in parameters:
                fill = self.fill_bias if is_bias else self.fill
                try:
                    session.fill(part, name, fill, source, module)
                except Exception as error:
                    error.add_note(f"while {text} filled {name!r} of {_on_one_line(part)}")
                    raise
        if not selected and self.selects and session.is_first(text, module):
            warnings.warn(
                f"{text} matches nothing in {type(module).__name__}: "
                f"{self._selection.hint(tree, module)}",
                UnmatchedRuleWarning,
                stacklevel=2,
            )
        return None

    def select(self, module: nn.Module) -> list[str]:
        """Return the names of the parameters and buffers of a module that this rule fills.

        Args:
            module: The module that the rule belongs to.
        """
        slots = {(slot.module, slot.name): slot.dotted for slot in slots_below(module)}
        selected = self._selection.find(Tree(module), module)
        keys = [(self.part(target), name) for target, names in selected for name, _ in names]
        return [slots[key] for key in keys if key in slots]

    def __repr__(self) -> str:
        options = {name: value for name, value in vars(self).items() if name[0] != "_"}
        options["bias"] = options.pop("bias", 0)  # last, as in the signature
        selection = self._selection
        if selection.layers:
            options["layer"] = [
                layer if isinstance(layer, str) else layer.__name__ for layer in self.layer
            ]
        if selection.globs:
            options["match"] = list(selection.globs)
        if selection.where:
            options["where"] = getattr(selection.where, "__name__", selection.where)
        return f"{type(self).__name__}: " + ", ".join(f"{k}={v}" for k, v in options.items())


def fill_module(module: nn.Module, fill: Fill, bias: float) -> None:
    """Fill the weight and the bias of a module, if it has them: the work of the free functions.

    A tensor stays as it is, with a warning: mmcv's functions do nothing with one, and downstream
    models pass parameters to them.

    Args:
        module: The module.
        fill: Fills a weight in place.
        bias: Value for the bias.
    """
    if isinstance(module, Tensor):
        warnings.warn(
            f"module must be a module such as nn.Linear, got a tensor of shape"
            f" {tuple(module.shape)}, which stays as it is; pass the module itself, or fill the"
            f" tensor with a function of torch.nn.init",
            stacklevel=3,
        )
        return
    with torch.no_grad():
        for name, is_bias in USUAL:
            tensor = tensor_of(module, name)
            if tensor is not None:
                fill_tensor(tensor, partial(Tensor.fill_, value=bias) if is_bias else fill)


def _on_one_line(module: nn.Module) -> str:
    """Return the class of a module and its own options, without its children."""
    return f"{type(module).__name__}({module.extra_repr()})"
