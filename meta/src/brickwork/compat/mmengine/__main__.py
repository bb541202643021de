"""`python -m brickwork.compat.mmengine script.py args...`."""

import sys

from brickwork.compat._run import main

main("mmengine", sys.argv[1:])
