"""The errors of the package, all a :class:`ModelError`."""

from __future__ import annotations

from collections.abc import Iterable

from brickwork_registry import suggest


class ModelError(ValueError):
    """A network cannot be made as asked."""


class ArchitectureError(ModelError):
    """An argument describes no network of the family.

    Args:
        family: The class that was to be built, such as ``"ResNet"``.
        argument: The argument at fault.
        value: What it was.
        allowed: What it may be, in words or as the values themselves.
    """

    def __init__(self, family: str, argument: str, value: object, allowed: object) -> None:
        self.family, self.argument, self.value, self.allowed = family, argument, value, allowed
        super().__init__(family, argument, value, allowed)

    def __str__(self) -> str:
        return f"{self.family}: {self.argument}={self.value!r}, but allowed is {self.allowed}"


class UnsupportedOptionError(ModelError, NotImplementedError):
    """An option of the original that is left out on purpose.

    Args:
        option: The option.
        reason: Why it is not here, and the way out.
    """

    def __init__(self, option: str, reason: str) -> None:
        self.option, self.reason = option, reason
        super().__init__(option, reason)

    def __str__(self) -> str:
        return f"{self.option} is not supported: {self.reason}"


class UnknownNameError(ModelError, KeyError):
    """A name that is in none of the package's tables.

    Args:
        kind: What the name was to be, such as ``"model"``.
        name: The name.
        known: The names that exist.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(known)
        super().__init__(kind, name, self.known)

    def __str__(self) -> str:
        hint = suggest(self.name, self.known)
        known = ", ".join(self.known[:12]) + (", ..." if len(self.known) > 12 else "")
        return f"no {self.kind} is called {self.name!r}" + (
            f"; {hint}" if hint else f"; there are {known}"
        )


class NoArchitectureError(UnknownNameError):
    """The zoo has a checkpoint of this name, but the package has no network for it.

    Args:
        name: The name.
        uris: The checkpoints.
        known: The names of the networks that exist.
    """

    def __init__(self, name: str, uris: Iterable[str], known: Iterable[str]) -> None:
        super().__init__("model", name, known)
        self.uris = tuple(uris)
        self.args = (name, self.uris, self.known)

    def __str__(self) -> str:
        return (
            f"brickwork_models has no network for {self.name!r}, of which the zoo has "
            f"{', '.join(self.uris)}. Build the network with the code that it comes from, and "
            "load these weights with brickwork_zoo.load_checkpoint"
        )


class NoWeightsError(ModelError):
    """A network has no pretrained weights of the kind asked for.

    Args:
        name: The network.
        tag: The weights asked for, or ``None`` for any.
        known: The tags that exist for this network.
    """

    def __init__(self, name: str, tag: str | None, known: Iterable[str]) -> None:
        self.name, self.tag, self.known = name, tag, tuple(known)
        super().__init__(name, tag, self.known)

    def __str__(self) -> str:
        asked = "pretrained weights" if self.tag is None else f"weights {self.tag!r}"
        there = f"there are {', '.join(self.known)}" if self.known else "there are none"
        return (
            f"{self.name} has no {asked}: {there}. "
            "Build it without and load your own with brickwork_zoo.load_checkpoint."
        )
