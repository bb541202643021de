"""Our public names, parameters and defaults against those of mmcv 1.7.2.

`mmcv_1_7_2_api.json` lists, for each module of mmcv that this project covers, its names, their
parameters and methods, and the contents of each registry. `brickwork` has the same modules.
Intended differences are in the tables below with their reasons; they are also the rows of the
migration guide. Additional keyword-only options need no row.
"""

import importlib
import inspect
import json
from pathlib import Path

import pytest

TABLE = json.loads((Path(__file__).parent / "mmcv_1_7_2_api.json").read_text())["modules"]

# Module → reason why these names are absent → the names.
ABSENT: dict[str, dict[str, str]] = {
    "mmcv.cnn.utils.weight_init": {
        "private": "_get_bases_name _initialize _initialize_override",
        "a copy of PyTorch's, call torch.nn.init.trunc_normal_": "_no_grad_trunc_normal_",
    },
    "mmcv.cnn.utils.flops_counter": {
        "operators are counted as they run, not modules by hooks; count_complexity gives data": (
            "add_batch_counter_hook_function add_batch_counter_variables_or_reset "
            "add_flops_counter_variable_or_reset batch_counter_hook conv_flops_counter_hook "
            "deconv_flops_counter_hook "
            "empty_flops_counter_hook get_modules_mapping is_supported_instance "
            "linear_flops_counter_hook norm_flops_counter_hook pool_flops_counter_hook "
            "relu_flops_counter_hook remove_batch_counter_hook_function "
            "remove_flops_counter_hook_function upsample_flops_counter_hook"
        ),
        "print(count_complexity(model, shape))": "print_model_with_flops",
    },
    "mmcv.runner.checkpoint": {
        "private; BRICKWORK_HOME and MMCV_HOME say where weights lie": "_get_mmcv_home",
        "private": "_process_mmcls_checkpoint _save_to_state_dict",
        "services of one company; register a loader with CheckpointLoader.register_scheme": (
            "load_from_ceph load_from_pavi"
        ),
    },
    "mmcv.cnn.utils.fuse_conv_bn": {"private": "_fuse_conv_bn"},
    "mmcv.cnn.utils.sync_bn": {"private": "_BatchNormXd"},
    "mmcv.cnn.resnet": {
        "one line: torch.nn.Conv2d(.., 3, padding=dilation, bias=False)": "conv3x3"
    },
    "mmcv.cnn.vgg": {"one line: torch.nn.Conv2d(.., 3, padding=dilation)": "conv3x3"},
}

# Name → reason why its parameters differ, mmcv's parameters that are absent or have another
# default, new parameters that are not keyword-only.
DIFFERENT: dict[str, tuple[str, set[str], set[str]]] = {
    "ConvAWS2d": (
        "those of torch.nn.Conv2d",
        set(),
        {"padding_mode", "device", "dtype"},
    ),
    "ConvModule": ("the argument of mmcv 2.x", set(), {"efficient_conv_bn_eval"}),
    "FFN": ("the argument of mmcv 2.x", set(), {"layer_scale_init_value"}),
    "GELU": ("it is torch.nn.GELU", {"args", "kwargs"}, {"approximate"}),
    "RFSearchHook": ("config has no default that works", {"config"}, {"config"}),
    "get_model_complexity_info": (
        "None stands for the sys.stdout of the moment, which tests and notebooks replace",
        {"ost"},
        {"ost"},
    ),
    "load_checkpoint": (
        "weights are read on the CPU and copied to where the model is; a tuple for a list",
        {"map_location", "revise_keys"},
        {"map_location", "revise_keys", "options"},
    ),
    "PretrainedInit": ("options of loading", set(), {"options"}),
    "BasicBlock": ("options of the shared block", set(), {"options"}),
    "Bottleneck": ("options of the shared block", set(), {"options"}),
}

# Class → reason why these methods are absent → the methods.
METHODS: dict[str, dict[str, str]] = {}

# Registry → reason why its name differs.
RENAMED = {"INITIALIZERS": "its entry-point group is brickwork.initializers"}

# Names that are not implemented yet; an implemented name must be removed.
NOT_YET: dict[str, str] = {}


def rows(kind):
    """Return (module, name) of the table, except names that are not implemented yet."""
    return [
        (module, name)
        for module, names in TABLE.items()
        for name, entry in names.items()
        if (entry["kind"] == "Registry") is (kind == "Registry")
        and name not in NOT_YET.get(module, "").split()
    ]


def absent(module):
    return [name for names in ABSENT.get(module, {}).values() for name in names.split()]


def ours(module, name):
    return getattr(importlib.import_module(module.replace("mmcv", "brickwork", 1)), name)


def parameters(entry):
    """Map each parameter to its position, kind and default."""
    return {
        parameter["name"]: (position, parameter["kind"], parameter.get("default"))
        for position, parameter in enumerate(entry["parameters"])
    }


def our_parameters(function):
    return {
        parameter.name: (
            position,
            parameter.kind.name,
            None if parameter.default is parameter.empty else repr(parameter.default),
        )
        for position, parameter in enumerate(inspect.signature(function).parameters.values())
    }


@pytest.mark.parametrize(("module", "name"), rows("other"))
def test_name_has_the_documented_parameters(module, name):
    if name in absent(module):
        with pytest.raises(AttributeError):
            ours(module, name)
        return
    entry, value = TABLE[module][name], ours(module, name)
    assert inspect.isclass(value) is (entry["kind"] == "class")
    theirs, mine = parameters(entry), our_parameters(value)
    # The position matters only for positional parameters.
    changed = {key for key in theirs if theirs[key][1:] != mine.get(key, (0,))[1:]}
    moved = {
        key
        for key in theirs.keys() & mine.keys()
        if theirs[key][1] == "POSITIONAL_OR_KEYWORD" and theirs[key][0] != mine[key][0]
    }
    added = {key for key in mine.keys() - theirs.keys() if mine[key][1] != "KEYWORD_ONLY"} | {
        key for key in mine.keys() & theirs.keys() if key in changed
    }
    _, allowed_changed, allowed_added = DIFFERENT.get(name, ("", set(), set()))
    assert not moved
    assert changed == allowed_changed
    assert added == allowed_added


@pytest.mark.parametrize(
    ("module", "name"),
    [row for row in rows("other") if TABLE[row[0]][row[1]]["kind"] == "class"],
)
def test_class_has_the_documented_methods(module, name):
    if name in absent(module):
        return
    allowed = " ".join(METHODS.get(name, {}).values()).split()
    missing = [
        method
        for method in TABLE[module][name]["methods"]
        if not method.startswith("_") and not hasattr(ours(module, name), method)
    ]
    assert missing == allowed


@pytest.mark.parametrize(("module", "name"), rows("Registry"))
def test_registry_has_the_entries_of_mmcv(module, name):
    entry, registry = TABLE[module][name], ours(module, name)
    assert (registry.name != entry["name"]) is (name in RENAMED)
    for key, path in entry["registered"].items():
        registered = registry.get(key)
        assert registered is not None, key
        if path.startswith("torch."):
            assert f"{registered.__module__}.{registered.__name__}" == path or issubclass(
                registered, getattr(importlib.import_module("torch.nn"), path.rpartition(".")[2])
            ), key


def test_every_row_of_the_tables_is_used():
    names = {name for entries in TABLE.values() for name in entries}
    assert DIFFERENT.keys() | METHODS.keys() | RENAMED.keys() <= names
    for module in (*ABSENT, *NOT_YET):
        listed = [*absent(module), *NOT_YET.get(module, "").split()]
        assert set(listed) <= TABLE[module].keys()


def test_names_listed_as_not_implemented_are_absent():
    implemented = []
    for module, names in NOT_YET.items():
        for name in names.split():
            try:
                ours(module, name)
            except (AttributeError, ImportError):
                continue
            implemented.append((module, name))
    assert not implemented, f"remove from NOT_YET: {implemented}"
