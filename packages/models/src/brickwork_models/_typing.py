"""Types that recur in the package."""

from typing import Any

Config = dict[str, Any]
"""Config of a layer, a model or an initializer."""

InitConfig = Config | list[Config]
"""Config of one initializer, or a list of them."""
