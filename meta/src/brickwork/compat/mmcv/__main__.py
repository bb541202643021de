"""`python -m brickwork.compat.mmcv script.py args...`."""

import sys

from brickwork.compat._run import main

main("mmcv", sys.argv[1:])
