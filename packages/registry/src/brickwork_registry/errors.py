"""The errors of registries: each reads as a sentence, carries its facts and pickles."""

from __future__ import annotations


class RegistryError(Exception):
    """Base of every error that a registry raises by itself.

    The arguments of a subclass are its attributes; the text is made from them. So an error
    pickles, and code can look at it without parsing the text.
    """


class MissingTypeError(RegistryError, KeyError):
    """A config does not say what to build: neither it nor the defaults have a ``type``.

    Args:
        registry: Name of the registry that should have built it.
        config: The config as text.
        hint: A way out, for example the misspelt key; may be empty.
    """

    def __init__(self, registry: str, config: str, hint: str = "") -> None:
        super().__init__(registry, config, hint)
        self.registry, self.config, self.hint = registry, config, hint

    def __str__(self) -> str:
        text = (
            f"`cfg` or `default_args` must contain the key 'type', the name of an entry of the "
            f"registry {self.registry!r}, but got {self.config}"
        )
        return f"{text}; {self.hint}" if self.hint else text


class InvalidConfigError(RegistryError, TypeError):
    """A config, its ``type``, a registry or a registered object is of the wrong kind.

    Args:
        what: The thing that is wrong, for example ``"cfg"``.
        expected: What it may be.
        given: What it is, as text.
    """

    def __init__(self, what: str, expected: str, given: str) -> None:
        super().__init__(what, expected, given)
        self.what, self.expected, self.given = what, expected, given

    def __str__(self) -> str:
        return f"{self.what} must be {self.expected}, but got {self.given}"


class NotRegisteredError(RegistryError, KeyError):
    """A registry has no entry of the wanted name, nor has any installed package.

    Args:
        key: The name that was looked for, with its scope if one was given.
        registry: Name of the registry.
        scope: Scope of the registry.
        hint: What is close, where it is, or what to install; may be empty.
    """

    def __init__(self, key: str, registry: str, scope: str, hint: str = "") -> None:
        super().__init__(key, registry, scope, hint)
        self.key, self.registry, self.scope, self.hint = key, registry, scope, hint

    def __str__(self) -> str:
        text = f"{self.key!r} is not in the {self.registry!r} registry (scope {self.scope!r})"
        return f"{text}; {self.hint}" if self.hint else text


class EntryPointError(NotRegisteredError):
    """An installed package offers the wanted name, but cannot deliver it; see ``__cause__``.

    Args:
        key: The name that was looked for.
        registry: Name of the registry.
        scope: Scope of the registry.
        entry_point: Where the package says that the object is, ``'package.module:Class'``.
        cause: What happened on import, as text.
    """

    def __init__(self, key: str, registry: str, scope: str, entry_point: str, cause: str) -> None:
        super().__init__(key, registry, scope)
        self.args = (key, registry, scope, entry_point, cause)
        self.entry_point, self.cause = entry_point, cause

    def __str__(self) -> str:
        return (
            f"the entry point {self.key!r} = {self.entry_point!r} of the {self.registry!r} "
            f"registry (scope {self.scope!r}) fails: {self.cause}"
        )


class ImportPathError(NotRegisteredError):
    """A ``type`` of the form ``'package.module:Class'`` leads nowhere; see ``__cause__``.

    Args:
        key: The import path.
        registry: Name of the registry that should have built it.
        scope: Scope of the registry.
        cause: What happened on import, as text.
    """

    def __init__(self, key: str, registry: str, scope: str, cause: str) -> None:
        super().__init__(key, registry, scope)
        self.args = (key, registry, scope, cause)
        self.cause = cause

    def __str__(self) -> str:
        return (
            f"the import path {self.key!r}, given as a type to the {self.registry!r} registry, "
            f"fails: {self.cause}"
        )


class AlreadyRegisteredError(RegistryError, KeyError):
    """A name, or a child's scope, is taken by another object.

    Args:
        key: The name.
        registry: Name of the registry.
        present: The object that has the name, with its file and line.
        refused: The object that wanted it, with its file and line.
        hint: The way out.
    """

    def __init__(self, key: str, registry: str, present: str, refused: str, hint: str) -> None:
        super().__init__(key, registry, present, refused, hint)
        self.key, self.registry = key, registry
        self.present, self.refused, self.hint = present, refused, hint

    def __str__(self) -> str:
        return (
            f"{self.key!r} is already registered in {self.registry!r}, by {self.present}; "
            f"refused: {self.refused}; {self.hint}"
        )
