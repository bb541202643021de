"""Initialisers and base modules against mmcv 1.7.2: keys, and values under a seed."""

from typing import Any

import brickwork_base
import brickwork_init
import brickwork_modules

GROUP = "init"
PLACES = (brickwork_init, brickwork_base, brickwork_modules)


def test_construction(reference: Any, lookup: Any, case: str) -> None:
    reference.check_construction(GROUP, case, lookup)


def test_initialisation(reference: Any, lookup: Any, case: str) -> None:
    reference.check_initialisation(GROUP, case, lookup)
