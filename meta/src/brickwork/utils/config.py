"""Dicts whose items are attributes, too."""

import copy
from typing import Any

__all__ = ["ConfigDict"]


class ConfigDict(dict[str, Any]):
    """A dict whose items can be read and set as attributes: `cfg.model.type`.

    Dicts in the arguments, also those in lists and tuples, are converted as well. A missing item is
    an AttributeError or a KeyError, as for any object or dict.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        for key, value in dict(*args, **kwargs).items():
            self[key] = self._convert(value)

    @classmethod
    def _convert(cls, value: Any) -> Any:
        if type(value) is dict:
            return cls(value)
        if type(value) in (list, tuple):
            return type(value)(map(cls._convert, value))
        return value

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"{name!r} is a method of dict; set it as an item: cfg[{name!r}]")
        self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Update items; where the old and the new value are dicts, the old one is updated."""
        for key, value in dict(*args, **kwargs).items():
            if isinstance(self.get(key), dict) and isinstance(value, dict):
                self[key].update(value)
            else:
                self[key] = value

    def copy(self) -> "ConfigDict":
        """Return a shallow copy."""
        return copy.copy(self)

    def deepcopy(self) -> "ConfigDict":
        """Return a deep copy."""
        return copy.deepcopy(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts with the same items."""
        return {key: self._revert(value) for key, value in self.items()}

    @classmethod
    def _revert(cls, value: Any) -> Any:
        if isinstance(value, ConfigDict):
            return value.to_dict()
        if type(value) in (list, tuple):
            return type(value)(map(cls._revert, value))
        return value
