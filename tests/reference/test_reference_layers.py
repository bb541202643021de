"""Layers against mmcv 1.7.2: keys, values under a seed, outputs."""

from typing import Any

import brickwork_layers

GROUP = "layers"
PLACES = (brickwork_layers,)


def test_construction(reference: Any, lookup: Any, case: str) -> None:
    reference.check_construction(GROUP, case, lookup)


def test_initialisation(reference: Any, lookup: Any, case: str) -> None:
    reference.check_initialisation(GROUP, case, lookup)


def test_outputs(reference: Any, lookup: Any, case: str) -> None:
    reference.check_outputs(GROUP, case, lookup)
