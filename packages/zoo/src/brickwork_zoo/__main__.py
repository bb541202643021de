"""Run the command line with ``python -m brickwork_zoo``."""

import sys

from brickwork_zoo._cli._main import main

sys.exit(main())
