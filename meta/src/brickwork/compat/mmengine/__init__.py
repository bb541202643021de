"""`mmengine`'s modules and registries, and mmcv 2.x's `mmcv.cnn`, are ours.

`brickwork.compat.mmengine.install()` before anything imports them, or, for a program as it is,
`python -m brickwork.compat.mmengine script.py args...`. Where a real mmengine or mmcv 2.x is
installed, what is not covered (runners, datasets, configs, ops) comes from it.
"""

from brickwork.compat._alias import Coverage
from brickwork.compat._alias import install as _install
from brickwork.compat._alias import uninstall as _uninstall
from brickwork.compat._modules import below

__all__ = ["install", "uninstall"]

_OURS = {name: f"{__name__}.{name}" for name in ("dist", "logging", "registry", "saving", "scope")}
_MMENGINE = Coverage(
    package="mmengine",
    version="0.10.7",
    modules={
        "mmengine.model": "brickwork.compat.mmengine.model",
        "mmengine.model.base_module": "brickwork.runner.base_module",
        "mmengine.model.utils": "brickwork.cnn.utils.sync_bn",
        "mmengine.model.weight_init": "brickwork.cnn.utils.weight_init",
        "mmengine.registry": "brickwork.compat.mmengine.registry",
        "mmengine.registry.build_functions": "brickwork.compat.mmengine.registry",
        "mmengine.registry.registry": "brickwork.compat.mmengine.registry",
        "mmengine.registry.root": "brickwork.compat.mmengine.registry",
        "mmengine.runner": "brickwork.compat.mmengine.checkpoint",
        "mmengine.runner.checkpoint": "brickwork.compat.mmengine.checkpoint",
    },
    whole=("mmengine.model.base_module", "mmengine.registry.root"),
    stand_ins={
        "mmengine": (_OURS["registry"], _OURS["scope"], _OURS["logging"], "brickwork.utils"),
        "mmengine.dist": (_OURS["dist"],),
        "mmengine.dist.utils": (_OURS["dist"],),
        "mmengine.logging": (_OURS["logging"],),
        "mmengine.logging.logger": (_OURS["logging"],),
        "mmengine.registry": (_OURS["scope"],),
        "mmengine.registry.default_scope": (_OURS["scope"],),
        "mmengine.registry.utils": (_OURS["scope"],),
        "mmengine.runner": (_OURS["saving"], "brickwork.runner.utils"),
        "mmengine.runner.checkpoint": (_OURS["saving"],),
        "mmengine.utils": ("brickwork.utils",),
        "mmengine.utils.dl_utils": ("brickwork.utils",),
        "mmengine.utils.dl_utils.parrots_wrapper": ("brickwork.utils.parrots_wrapper",),
        "mmengine.utils.misc": ("brickwork.utils.misc",),
        "mmengine.utils.path": ("brickwork.utils.path",),
        "mmengine.utils.version_utils": ("brickwork.utils.version_utils",),
    },
    distributions=("mmengine", "mmengine-lite"),
)
_MMCV = Coverage(
    package="mmcv",
    version="2.1.0",
    modules={"mmcv": "brickwork", **below("cnn", "mmcv.cnn")},
    whole=("mmcv.cnn",),
    distributions=("mmcv", "mmcv-lite"),
)


def install() -> None:
    """Make `import mmengine`, and `import mmcv` as of 2.x, ours from now on.

    Raises:
        RuntimeError: If one of them has been imported before.
    """
    _install(_MMENGINE, _MMCV)


def uninstall() -> None:
    """Give the names back; what has imported from them keeps what it has."""
    _uninstall(_MMENGINE, _MMCV)
