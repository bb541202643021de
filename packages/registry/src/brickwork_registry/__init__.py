"""Build objects from config dicts: registries with scopes, entry points and errors that help. No dependencies."""

__version__ = "0.1.0"
