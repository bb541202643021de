"""Run the command line with ``python -m brickwork_zoo._cli``."""

import sys

from . import main

sys.exit(main())
