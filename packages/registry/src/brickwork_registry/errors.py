"""Exceptions of registries, and base classes for errors about arguments.

The arguments of a registry's exception are its attributes, and its message is made from them: it
pickles, and code can inspect it without parsing the message.
"""

from __future__ import annotations


class ArgumentError(AssertionError):
    """Base class of errors about arguments that mmcv checks by ``assert``.

    Code written for mmcv may catch AssertionError; other code expects TypeError or ValueError.
    """


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument has the wrong type."""


class ArgumentValueError(ArgumentError, ValueError):
    """An argument has an invalid value."""


class RegistryError(Exception):
    """Base class of the exceptions of registries."""


class MissingTypeError(RegistryError, KeyError):
    """A config, and the defaults for it, have no ``type``.

    Attributes:
        registry: Name of the registry that was built from.
        config: The config as text.
        hint: What the user can do, for example which key is misspelled; may be empty.
    """

    def __init__(self, registry: str, config: str, hint: str = "") -> None:
        super().__init__(registry, config, hint)
        self.registry = registry
        self.config = config
        self.hint = hint

    def __str__(self) -> str:
        message = (
            f'`cfg` or `default_args` must contain the key "type", a name in the registry '
            f"{self.registry!r}, got {self.config}"
        )
        return f"{message}; {self.hint}" if self.hint else message


class InvalidConfigError(RegistryError, ArgumentTypeError):
    """A config, its ``type``, a registry or a registered object has the wrong type.

    Attributes:
        what: The invalid argument, for example ``"cfg"``.
        expected: What it may be.
        actual: What it is, as text.
    """

    def __init__(self, what: str, expected: str, actual: str) -> None:
        super().__init__(what, expected, actual)
        self.what = what
        self.expected = expected
        self.actual = actual

    def __str__(self) -> str:
        return f"{self.what} must be {self.expected}, got {self.actual}"


class NotRegisteredError(RegistryError, KeyError):
    """Neither the registry nor an installed package has an entry of this name.

    Attributes:
        key: The name, with its scope if it has one.
        registry: Name of the registry.
        scope: Scope of the registry.
        hint: Close names, other registries that have it, or what to install; may be empty.
    """

    def __init__(self, key: str, registry: str, scope: str, hint: str = "") -> None:
        super().__init__(key, registry, scope, hint)
        self.key = key
        self.registry = registry
        self.scope = scope
        self.hint = hint

    def __str__(self) -> str:
        message = f"{self.key!r} is not in the {self.registry!r} registry (scope {self.scope!r})"
        return f"{message}; {self.hint}" if self.hint else message


class EntryPointError(NotRegisteredError):
    """An installed package offers the name, but importing it failed; see ``__cause__``.

    Attributes:
        key: The name.
        registry: Name of the registry.
        scope: Scope of the registry.
        entry_point: What the package offers, ``'package.module:Class'``.
        cause: Why the import failed, as text.
    """

    def __init__(self, key: str, registry: str, scope: str, entry_point: str, cause: str) -> None:
        super().__init__(key, registry, scope)
        self.args = (key, registry, scope, entry_point, cause)
        self.entry_point = entry_point
        self.cause = cause

    def __str__(self) -> str:
        return (
            f"the entry point {self.key!r} = {self.entry_point!r} of the {self.registry!r} "
            f"registry (scope {self.scope!r}) cannot be loaded: {self.cause}"
        )


class ImportPathError(NotRegisteredError):
    """A ``type`` of the form ``'package.module:Class'`` cannot be imported; see ``__cause__``.

    Attributes:
        key: The import path.
        registry: Name of the registry.
        scope: Scope of the registry.
        cause: Why the import failed, as text.
    """

    def __init__(self, key: str, registry: str, scope: str, cause: str) -> None:
        super().__init__(key, registry, scope)
        self.args = (key, registry, scope, cause)
        self.cause = cause

    def __str__(self) -> str:
        return (
            f"the import path {self.key!r}, a type for the {self.registry!r} registry, cannot be "
            f"imported: {self.cause}"
        )


class AlreadyRegisteredError(RegistryError, KeyError, ArgumentError):
    """Another object has this name, or another child this scope.

    Attributes:
        key: The name or scope.
        registry: Name of the registry.
        present: The object that has it, with file and line.
        refused: The object that was to get it, with file and line.
        hint: What the user can do.
    """

    def __init__(self, key: str, registry: str, present: str, refused: str, hint: str) -> None:
        super().__init__(key, registry, present, refused, hint)
        self.key = key
        self.registry = registry
        self.present = present
        self.refused = refused
        self.hint = hint

    def __str__(self) -> str:
        return (
            f"{self.key!r} is already registered in {self.registry!r} by {self.present}; "
            f"refused: {self.refused}; {self.hint}"
        )
