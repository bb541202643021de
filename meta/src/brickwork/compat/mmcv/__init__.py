"""`import mmcv` (1.x) is ours: `brickwork.compat.mmcv.install()` before anything imports it.

Or, for a program as it is: `python -m brickwork.compat.mmcv script.py args...`.
"""

from brickwork.compat._alias import Coverage
from brickwork.compat._alias import install as _install
from brickwork.compat._alias import uninstall as _uninstall
from brickwork.compat._modules import below

__all__ = ["install", "uninstall"]

# What `brickwork` exports and mmcv 1.x does not, under names that other packages have, too.
_HIDDEN = {
    "mmcv.cnn": (
        "Conv2dAdaptivePadding DROPOUT_LAYERS DropPath Dropout LayerScale build_dropout"
        " revert_sync_batchnorm"
    ),
    "mmcv.cnn.bricks": "DROPOUT_LAYERS LayerScale build_dropout",
    "mmcv.runner": "get_state_dict",
    "mmcv.utils": "to_1tuple to_2tuple to_3tuple to_4tuple to_ntuple",
}
_MMCV = Coverage(
    package="mmcv",
    version="1.7.0",  # what is covered is that of 1.7.2; some downstream packages end at 1.7.0
    modules={
        "mmcv": "brickwork.utils",  # the original gives its helpers at the top, too
        **below("cnn", "mmcv.cnn"),
        **below("runner", "mmcv.runner"),
        **below("utils", "mmcv.utils"),
        "mmcv.model_zoo": "brickwork.model_zoo",
    },
    whole=(
        *("mmcv.cnn.bricks", "mmcv.cnn.builder", "mmcv.cnn.rfsearch.search"),
        *("mmcv.cnn.utils.weight_init", "mmcv.runner.base_module", "mmcv.utils.registry"),
    ),
    hidden={module: frozenset(names.split()) for module, names in _HIDDEN.items()},
    moved={
        "mmcv.cnn.bricks.transformer.MultiScaleDeformableAttention": (
            "mmcv.ops.multi_scale_deform_attn"
        )
    },
    distributions=("mmcv-full", "mmcv"),
)


def install() -> None:
    """Make `import mmcv` ours from now on.

    Raises:
        RuntimeError: If mmcv has been imported before.
    """
    _install(_MMCV)


def uninstall() -> None:
    """Give the name `mmcv` back; what has imported from it keeps what it has."""
    _uninstall(_MMCV)
