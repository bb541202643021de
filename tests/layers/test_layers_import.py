"""What `import brickwork_layers` costs: torch and the registry, nothing else."""

import subprocess
import sys

PROGRAM = """
import sys
import torch
before = set(sys.modules)
import brickwork_layers
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new))
"""


def test_it_brings_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["brickwork_layers", "brickwork_registry"]
