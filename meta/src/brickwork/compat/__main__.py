"""Print the folder that makes `import mmcv` import brickwork, for `PYTHONPATH`."""

import sys

from ._folder import FOLDERS, path_of

generation = sys.argv[1] if len(sys.argv) > 1 else "mmcv"
if generation not in FOLDERS:
    sys.exit(f"usage: python -m brickwork.compat [{' | '.join(FOLDERS)}]")
print(path_of(FOLDERS[generation]))  # noqa: T201  # a command line
