"""The building bricks of convolutional networks, together, as people know them from `mmcv.cnn`.

`import brickwork` loads nothing; `brickwork.cnn`, `.runner`, `.utils` and `.model_zoo` are imported
when they are first asked for. Where `BRICKWORK_COMPAT` is set, it installs what it names
(see `brickwork.compat`).
"""

import os

from ._lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)

__version__ = "0.1.0"

if os.environ.get("BRICKWORK_COMPAT"):
    from .compat import install

    install(*os.environ["BRICKWORK_COMPAT"].split(","))
