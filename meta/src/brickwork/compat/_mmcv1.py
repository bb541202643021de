"""mmcv 1.x: where its names come from. The modules of `mmcv1/mmcv` ask here."""

import sys
from pathlib import Path

from ._generation import Generation
from ._placeholder_modules import PlaceholderFinder

_MMENGINE = "pip install 'brickwork[mmengine]' provides it"
_REAL = (
    "An mmcv 1.x beside brickwork provides it (pip install mmcv==1.7.2; its compiled operators are"
    " not needed)"
)
_OPERATORS = "A compiled mmcv 1.x beside brickwork provides all operators; brickwork-ops, many"

# Names of 1.x that lie elsewhere today: module of mmcv → names → where they are tried in turn.
_MOVED = {
    ("mmcv.utils.config", "Config DictAction"): ("mmengine.config",),
    ("mmcv.utils.config", "ConfigDict"): ("mmengine.config", "brickwork.utils.config"),
    ("mmcv.utils.progressbar", "ProgressBar track_iter_progress track_parallel_progress"): (
        "mmengine.utils",
    ),
    ("mmcv.utils.progressbar", "track_progress"): ("mmengine.utils",),
    ("mmcv.utils.timer", "Timer TimerError check_time"): ("mmengine.utils",),
    ("mmcv.utils.hub", "load_url"): ("mmengine.utils.dl_utils",),
    (
        "mmcv.utils.testing",
        "assert_attrs_equal assert_dict_contains_subset assert_dict_has_keys assert_is_norm_layer"
        " assert_keys_equal assert_params_all_zeros check_python_script",
    ): ("mmengine.testing",),
    ("mmcv.utils.parrots_wrapper", "BuildExtension CUDAExtension CppExtension"): (
        "torch.utils.cpp_extension",
    ),
    ("mmcv.fileio.io", "load dump register_handler"): ("mmengine.fileio",),
    ("mmcv.fileio.parse", "dict_from_file list_from_file"): ("mmengine.fileio",),
    ("mmcv.fileio.file_client", "BaseStorageBackend FileClient"): ("mmengine.fileio",),
    ("mmcv.fileio.handlers.base", "BaseFileHandler"): ("mmengine.fileio",),
    ("mmcv.fileio.handlers.json_handler", "JsonHandler"): ("mmengine.fileio",),
    ("mmcv.fileio.handlers.pickle_handler", "PickleHandler"): ("mmengine.fileio",),
    ("mmcv.fileio.handlers.yaml_handler", "YamlHandler"): ("mmengine.fileio",),
    ("mmcv.engine.test", "collect_results_cpu collect_results_gpu"): ("mmengine.dist",),
    ("mmcv.runner.priority", "Priority get_priority"): ("mmengine.runner",),
    ("mmcv.runner.builder", "RUNNERS RUNNER_BUILDERS"): ("brickwork.runner.builder",),
    ("mmcv.image.io", "imread imwrite"): ("brickwork.image",),
    ("mmcv.image.misc", "tensor2imgs"): ("brickwork.image",),
    ("mmcv.visualization.image", "imshow"): ("brickwork.image",),
}
_ELSEWHERE = {
    "mmcv.ops.": ("brickwork_ops",),
    "mmcv.ops.deprecated_wrappers.": ("brickwork.cnn",),
    "mmcv.ops.merge_cells.": ("brickwork.ops.merge_cells",),
    **{
        f"{module}.{name}": providers
        for (module, names), providers in _MOVED.items()
        for name in names.split()
    },
}

GENERATION = Generation(
    Path(__file__).with_name("mmcv1"),
    "1.7.0",  # what is covered is that of 1.7.2; some downstream packages end at 1.7.0
    elsewhere=_ELSEWHERE,
    shadowed=(
        "mmcv.cnn.resnet",
        "mmcv.cnn.rfsearch.operator",
        "mmcv.cnn.utils.flops_counter",
        "mmcv.cnn.vgg",
        "mmcv.runner.fp16_utils",
        "mmcv.utils.parrots_wrapper",
        "mmcv.utils.path",
    ),
    remedies={
        "mmcv.": _REAL,
        "mmcv.ops.": _OPERATORS,
        **{
            name: f"{_MMENGINE}; so does an mmcv 1.x beside brickwork (pip install mmcv==1.7.2)"
            for name, providers in _ELSEWHERE.items()
            if providers[0].startswith("mmengine")
        },
    },
)
path = GENERATION.path
attributes = GENERATION.attributes
import_installed = GENERATION.import_installed
keep_functions = GENERATION.keep_functions


def version() -> str:
    """Return the version that `mmcv.__version__` reports."""
    return GENERATION.version


def version_info() -> tuple[int, ...]:
    """Return the version that `mmcv.version_info` reports."""
    return GENERATION.version_info


sys.meta_path.append(PlaceholderFinder(GENERATION))  # last: for what nobody else finds
