"""Exceptions of the package, all subclasses of :class:`ModelError`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from brickwork_registry import suggest


def _shorten(names: Sequence[str], limit: int = 12) -> str:
    """Join names, leaving out those beyond the first few."""
    return ", ".join([*names[:limit], *(["..."] if len(names) > limit else [])])


class ModelError(ValueError):
    """A model cannot be built as requested."""


class ArchitectureError(ModelError):
    """An argument is outside the range that a model family supports.

    Args:
        family: Class of the model, such as ``"ResNet"``.
        argument: Name of the argument.
        value: Value of the argument.
        allowed: Allowed values, as a collection or in words that complete "must be ...".
    """

    def __init__(
        self, family: str, argument: str, value: object, allowed: str | tuple[object, ...]
    ) -> None:
        self.family, self.argument, self.value, self.allowed = family, argument, value, allowed
        super().__init__(family, argument, value, allowed)

    def __str__(self) -> str:
        if isinstance(self.allowed, str):
            allowed, hint = self.allowed, ""
        else:
            names = [str(value) for value in self.allowed]
            allowed = f"one of {_shorten(names)}" if len(names) > 1 else names[0]
            hint = suggest(self.value, names) if isinstance(self.value, str) else ""
        message = f"{self.family}: {self.argument} must be {allowed}, got {self.value!r}"
        return f"{message}; {hint}" if hint else message


class UnsupportedOptionError(ModelError, NotImplementedError):
    """An option of mmcv's ecosystem is deliberately not implemented.

    Args:
        option: Name of the option.
        reason: Reason, and what to do instead.
    """

    def __init__(self, option: str, reason: str) -> None:
        self.option, self.reason = option, reason
        super().__init__(option, reason)

    def __str__(self) -> str:
        return f"{self.option} is not supported: {self.reason}"


class UnknownNameError(ModelError, KeyError):
    """A name is not in the package's tables.

    Args:
        kind: Kind of the name, such as ``"model"``.
        name: The unknown name.
        known: Known names.
        suggestions: Names to suggest; by default the known ones that are spelled similarly.
    """

    def __init__(
        self, kind: str, name: str, known: Iterable[str], suggestions: Iterable[str] = ()
    ) -> None:
        self.kind, self.name = kind, name
        self.known, self.suggestions = tuple(known), tuple(suggestions)
        super().__init__(kind, name, self.known, self.suggestions)

    def __str__(self) -> str:
        if self.suggestions:
            hint = f"use one of {_shorten(self.suggestions, 4)}"
        else:
            hint = suggest(self.name, self.known)
        if not hint:
            hint = f"known names: {_shorten(self.known)}"
        return f"unknown {self.kind} {self.name!r}; {hint}"


class NoArchitectureError(UnknownNameError):
    """The zoo has a checkpoint of this name, but the package does not implement its model.

    Args:
        name: Requested name.
        uris: URIs of the checkpoints.
        known: Names of the models that are implemented.
    """

    def __init__(self, name: str, uris: Iterable[str], known: Iterable[str]) -> None:
        super().__init__("model", name, known)
        self.uris = tuple(uris)
        self.args = (name, self.uris, self.known)

    def __str__(self) -> str:
        return (
            f"brickwork_models does not implement {self.name!r}; the zoo has weights for it: "
            f"{', '.join(self.uris)}. Build the model with its own library and load the weights "
            "with brickwork_zoo.load_checkpoint"
        )


class MissingLibraryError(ModelError, ImportError):
    """A URI names a model of a library that is not installed.

    Args:
        uri: URI of the model.
        library: Name of the library.
        alternatives: Names that can be used without the library.
    """

    def __init__(self, uri: str, library: str, alternatives: Iterable[str]) -> None:
        self.uri, self.library, self.alternatives = uri, library, tuple(alternatives)
        super().__init__(uri, library, self.alternatives)

    def __str__(self) -> str:
        message = f"{self.uri} needs {self.library}, which is not installed: pip install"
        hint = f"; or use one of {_shorten(self.alternatives, 4)}" if self.alternatives else ""
        return f"{message} {self.library}{hint}"


class NoWeightsError(ModelError):
    """A model has no pretrained weights with the requested tag.

    Args:
        name: Name of the model.
        tag: Requested tag, or ``None`` for any.
        known: Tags of the model's weights.
    """

    def __init__(self, name: str, tag: str | None, known: Iterable[str]) -> None:
        self.name, self.tag, self.known = name, tag, tuple(known)
        super().__init__(name, tag, self.known)

    def __str__(self) -> str:
        if not self.known:
            return (
                f"{self.name} has no pretrained weights. Build it with pretrained=False and load "
                "your own with brickwork_zoo.load_checkpoint"
            )
        hint = suggest(self.tag or "", self.known)
        message = (
            f"pretrained must be one of {_shorten(self.known)} for {self.name}, got {self.tag!r}"
        )
        return f"{message}; {hint}" if hint else message
