"""What goes wrong when other packages' imports are answered here."""

__all__ = ["NotCoveredError"]


class NotCoveredError(ModuleNotFoundError):
    """Something of another package was imported that neither we nor an installed original have.

    Args:
        wanted: The full name of what was imported.
        package: The package that it belongs to; also the `name` of the module that is not found.
        version: The version of it that we stand for.
        installed: Whether the original is installed; then `wanted` is in a part of it that we
            replace as a whole.
    """

    # `name` is the package's: an error with the name of what `from package import name` looks for
    # is replaced by "cannot import name" (importlib._bootstrap._handle_fromlist).

    def __init__(self, wanted: str, package: str, version: str, *, installed: bool = False) -> None:
        self.wanted = wanted
        self.package = package
        self.version = version
        self.installed = installed
        super().__init__(self._text(), name=package)

    def _text(self) -> str:
        original = f"{self.package} {self.version.split('.')[0]}.x"
        if self.installed:
            return (
                f"{self.wanted} is not there: this part of {self.package} is replaced as a whole by"
                f" brickwork.compat, as the installed {original} would register its classes a"
                f" second time. The migration guide lists what was left out, and what to use"
            )
        return (
            f"{self.wanted} is not covered by brickwork.compat, and {original}, which would serve"
            f" it, is not installed. Covered are the bricks, base modules, checkpoints, registries"
            f" and small helpers (see the migration guide). Install {original} beside brickwork, or"
            f" keep the import out of the way of what you run"
        )

    def __reduce__(self) -> tuple[object, ...]:
        state = {"installed": self.installed, "msg": self.msg}
        return type(self), (self.wanted, self.package, self.version), state
