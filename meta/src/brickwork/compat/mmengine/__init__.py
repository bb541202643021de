"""`mmengine`'s modules and registries, and mmcv 2.x's `mmcv.cnn`, are ours.

`brickwork.compat.mmengine.install()` before anything imports them, or, for a program as it is,
`python -m brickwork.compat.mmengine script.py args...`. Where a real mmengine or mmcv 2.x is
installed, what is not covered (runners, datasets, configs, ops) comes from it.
"""

import sys

from brickwork.compat._alias import Coverage
from brickwork.compat._alias import install as _install
from brickwork.compat._alias import uninstall as _uninstall
from brickwork.compat._modules import below

__all__ = ["install", "uninstall"]

_REGISTRY = f"{__name__}.registry"
_SCOPE = f"{_REGISTRY}.default_scope"
_MMENGINE = Coverage(
    package="mmengine",
    version="0.10.7",
    modules={
        "mmengine.model": f"{__name__}.model",
        "mmengine.model.base_module": "brickwork.runner.base_module",
        "mmengine.model.utils": "brickwork.cnn.utils.sync_bn",
        "mmengine.model.weight_init": "brickwork.cnn.utils.weight_init",
        "mmengine.registry": _REGISTRY,
        "mmengine.registry.build_functions": f"{_REGISTRY}.build_functions",
        "mmengine.registry.registry": f"{_REGISTRY}.registry",
        "mmengine.registry.root": f"{_REGISTRY}.root",
        "mmengine.runner": f"{__name__}.checkpoint",
        "mmengine.runner.checkpoint": f"{__name__}.checkpoint",
    },
    whole=("mmengine.model.base_module", "mmengine.registry.root"),
    stand_ins={
        "mmengine": (_SCOPE, f"{__name__}.logging", _REGISTRY, "brickwork.utils"),
        "mmengine.dist": (f"{__name__}.dist",),
        "mmengine.dist.dist": (f"{__name__}.dist",),
        "mmengine.dist.utils": (f"{__name__}.dist",),
        "mmengine.logging": (f"{__name__}.logging",),
        "mmengine.logging.logger": (f"{__name__}.logging",),
        "mmengine.model": (f"{__name__}.base_model", f"{__name__}.model_utils"),
        "mmengine.model.base_model": (f"{__name__}.base_model",),
        "mmengine.model.utils": (f"{__name__}.model_utils",),
        "mmengine.model.wrappers": (f"{__name__}.model_utils",),
        "mmengine.registry": (_SCOPE,),
        "mmengine.registry.default_scope": (_SCOPE,),
        "mmengine.registry.utils": (_SCOPE,),
        "mmengine.runner": (f"{__name__}.saving", "brickwork.runner.utils"),
        "mmengine.runner.checkpoint": (f"{__name__}.saving",),
        "mmengine.runner.utils": ("brickwork.runner.utils",),
        "mmengine.utils": ("brickwork.utils",),
        "mmengine.utils.dl_utils": ("brickwork.utils", "brickwork.cnn.bricks.norm"),
        "mmengine.utils.dl_utils.parrots_wrapper": ("brickwork.utils.parrots_wrapper",),
        "mmengine.utils.misc": ("brickwork.utils.misc",),
        "mmengine.utils.path": ("brickwork.utils.path",),
        "mmengine.utils.version_utils": ("brickwork.utils.version_utils",),
    },
    distributions=("mmengine", "mmengine-lite"),
)
# What `brickwork.cnn` exports and mmcv 2.x does not: it lies in mmengine there, or deeper.
_INITIALISATION = (
    "INITIALIZERS Caffe2XavierInit ConstantInit KaimingInit NormalInit PretrainedInit"
    " TruncNormalInit UniformInit XavierInit bias_init_with_prob caffe2_xavier_init constant_init"
    " initialize kaiming_init normal_init revert_sync_batchnorm trunc_normal_init uniform_init"
    " xavier_init"
)
_LAYERS = (
    "ACTIVATION_LAYERS CONV_LAYERS DROPOUT_LAYERS NORM_LAYERS PADDING_LAYERS PLUGIN_LAYERS"
    " UPSAMPLE_LAYERS build_dropout"
)
_HIDDEN = {
    "mmcv.cnn": (
        f"{_INITIALISATION} {_LAYERS} Conv2dAdaptivePadding DropPath Dropout LayerScale MODELS"
        f" build_model_from_cfg"
    ),
    "mmcv.cnn.bricks": _LAYERS,
    "mmcv.cnn.utils": _INITIALISATION,
}
_MMCV = Coverage(
    package="mmcv",
    version="2.1.0",
    modules={"mmcv": "brickwork", **below("cnn", "mmcv.cnn")},
    whole=("mmcv.cnn.bricks", "mmcv.cnn.rfsearch.search"),
    hidden={module: frozenset(names.split()) for module, names in _HIDDEN.items()},
    moved={
        "mmcv.cnn.bricks.transformer.MultiScaleDeformableAttention": (
            "mmcv.ops.multi_scale_deform_attn"
        )
    },
    distributions=("mmcv", "mmcv-lite"),
)


def install() -> None:
    """Make `import mmengine`, and `import mmcv` as of 2.x, ours from now on.

    Raises:
        RuntimeError: If one of them has been imported before.
    """
    _install(_MMENGINE, _MMCV)


def uninstall() -> None:
    """Give the names back; what has imported from them keeps what it has.

    What was registered in mmengine's registries is forgotten, and not found by our layers any more.
    """
    _uninstall(_MMENGINE, _MMCV)
    asking = sys.modules.get(f"{_REGISTRY}._asking")
    if asking:
        asking.ask_no_longer()
    for name in [name for name in sys.modules if name.startswith(f"{__name__}.")]:
        del sys.modules[name]
        globals().pop(name.removeprefix(f"{__name__}."), None)
