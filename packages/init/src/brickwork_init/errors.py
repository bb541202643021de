"""Errors and warnings of initialization."""

from __future__ import annotations

from collections.abc import Sequence


class InitError(Exception):
    """Base of every error of this package.

    Args:
        message: The message.
        *details: Attributes of a subclass, so that the error pickles.
    """

    def __init__(self, message: str, *details: object) -> None:
        super().__init__(message, *details)
        self.message = message

    def __str__(self) -> str:
        return self.message


class RuleTypeError(InitError, TypeError):
    """A rule, or an argument of one, is of the wrong type.

    Args:
        message: The message.
        rule: The rule, or the part of it.
    """

    def __init__(self, message: str, rule: object = None) -> None:
        super().__init__(message, rule)
        self.rule = rule


class RuleError(InitError, ValueError):
    """A rule is of the right type but contradicts itself.

    Args:
        message: The message.
        rule: The rule, or the part of it.
    """

    def __init__(self, message: str, rule: object = None) -> None:
        super().__init__(message, rule)
        self.rule = rule


class TargetError(InitError, RuntimeError):
    """An ``override`` names a part that the module does not have.

    Args:
        message: The message.
        name: The name.
        rule: The rule.
    """

    def __init__(self, message: str, name: str, rule: object = None) -> None:
        super().__init__(message, name, rule)
        self.name = name
        self.rule = rule


class UninitializedError(InitError, RuntimeError):
    """Parameters or buffers of a model built under `deferred` have no value.

    Args:
        message: The message.
        names: Their dotted names.
    """

    def __init__(self, message: str, names: Sequence[str] = ()) -> None:
        super().__init__(message, tuple(names))
        self.names = tuple(names)


class UnmatchedRuleWarning(UserWarning):
    """A rule that selects by class or by name selects nothing."""


class IneffectiveRuleWarning(UserWarning):
    """A rule had no effect: what it set was overwritten, or is computed by a parametrization."""
