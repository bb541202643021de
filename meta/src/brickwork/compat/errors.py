"""What goes wrong when other packages' imports are answered here."""

__all__ = ["NotCoveredError"]


class NotCoveredError(ImportError):
    """Something of another package that is not covered was imported, and the package is not there.

    Args:
        name: The full name of what was imported.
        package: The package that it belongs to.
        version: The version of it that we stand for.
    """

    # no ModuleNotFoundError: `from package import name` would replace its message with its own

    def __init__(self, name: str, package: str, version: str) -> None:
        self.package = package
        self.version = version
        major = version.split(".")[0]
        super().__init__(
            f"{name} is not covered by brickwork.compat, and {package} {major}.x, which would serve"
            f" it, is not installed. Covered are the bricks, base modules, checkpoints, registries"
            f" and small helpers (see the migration guide). Install {package} {major}.x beside"
            f" brickwork, or keep the import out of the way of what you run",
            name=name,
        )

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (str(self.name), self.package, self.version)
