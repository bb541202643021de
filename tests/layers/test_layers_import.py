"""`import brickwork_layers` imports torch and the registry and nothing else."""

from tests.support.python import run_python

PROGRAM = """
import sys
import torch
before = set(sys.modules)
import brickwork_layers
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new))
"""


def test_import_loads_only_torch_and_the_registry() -> None:
    imported = run_python("-c", PROGRAM).split()
    assert imported == ["brickwork_layers", "brickwork_registry"]
