"""The types that recur in the package, named once."""

from typing import Any

Config = dict[str, Any]
"""A config of a layer, a model or an initializer, as users write it."""

InitConfig = Config | list[Config]
"""One rule of initialisation, or several."""
