"""`python -m brickwork.compat.<package>` and its variables, here and in child processes."""

import pytest

from tests.support.python import python_result, run_python

VERSION = "import mmcv; print(mmcv.__version__)"

SCRIPT = """
import multiprocessing, subprocess, sys, helper
from mmcv.cnn import ConvModule

class Net(ConvModule):
    pass

def child(results):
    import mmcv
    results.put((mmcv.__version__, ConvModule.__module__, type(Net(3, 4, 1)).__name__))

if __name__ == "__main__":
    import pickle
    pickle.loads(pickle.dumps(Net(3, 4, 1)))
    print(sys.argv[1:], helper.to_2tuple(3), flush=True)
    context = multiprocessing.get_context("spawn")
    results = context.SimpleQueue()
    process = context.Process(target=child, args=(results,))
    process.start()
    print(*results.get(), flush=True)
    process.join()
    code = "import mmcv; print(mmcv.__version__)"
    subprocess.run([sys.executable, "-c", code], check=True)
    sys.exit(3 if "--fail" in sys.argv else 0)
"""
PRINTED = [
    "['--lr', '1'] (3, 3)",
    "1.7.0 brickwork_modules._conv_module Net",
    "1.7.0",
]


@pytest.fixture
def script(tmp_path):
    (tmp_path / "helper.py").write_text("from mmcv.utils import to_2tuple\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_script_runs_unchanged(script):
    printed = run_python("-m", "brickwork.compat.mmcv", script, "--lr", "1")
    assert printed.splitlines() == PRINTED


def test_module_runs_unchanged(script):
    printed = run_python(
        "-m", "brickwork.compat.mmcv", "-m", "train", "--lr", "1", PYTHONPATH=str(script.parent)
    )
    assert printed.splitlines() == PRINTED


def test_code_runs_unchanged():
    code = f"{VERSION}; import sys; print(sys.argv, sys.flags.optimize)"
    printed = run_python("-O", "-m", "brickwork.compat.mmcv", "-c", code, "a")
    assert printed.splitlines() == ["1.7.0", "['-c', 'a'] 1"]
    assert run_python("-m", "brickwork.compat.mmengine", "-c", VERSION) == "2.1.0"


def test_exit_code_is_passed_on(script):
    result = python_result("-m", "brickwork.compat.mmcv", script, "--fail")
    assert result.returncode == 3


def test_command_line_without_a_program_shows_the_usage():
    result = python_result("-m", "brickwork.compat.mmcv")
    assert result.returncode != 0
    assert "usage: python -m brickwork.compat.mmcv" in result.stderr


@pytest.mark.parametrize("version", ["1.4.0", "1.3.17"])
def test_version_option_sets_the_version_that_mmcv_reports(version):
    printed = run_python("-m", "brickwork.compat.mmcv", "--version", version, "-c", VERSION)
    assert printed == version


def test_version_option_refuses_another_generation():
    result = python_result("-m", "brickwork.compat.mmcv", "--version", "2.0.0", "-c", VERSION)
    assert result.returncode != 0
    assert "version must be one of mmcv 1.x" in result.stderr


def test_folder_on_the_path_takes_effect_in_every_program():
    folder = run_python("-m", "brickwork.compat", "mmcv")
    assert run_python("-c", VERSION, PYTHONPATH=folder) == "1.7.0"
    printed = run_python("-c", VERSION, PYTHONPATH=folder, BRICKWORK_COMPAT_VERSION="1.4.0")
    assert printed == "1.4.0"


def test_folder_on_the_path_costs_nothing_before_the_first_import():
    folder = run_python("-m", "brickwork.compat", "mmcv")
    code = "import sys; print(any('brickwork' in module for module in sys.modules))"
    assert run_python("-c", code, PYTHONPATH=folder) == "False"


def test_variable_takes_effect_where_brickwork_is_imported():
    assert run_python("-c", f"import brickwork; {VERSION}", BRICKWORK_COMPAT="mmcv") == "1.7.0"


def test_wrong_variable_is_reported_at_the_import():
    code = "try:\n    import brickwork\nexcept ValueError as error:\n    print(error)"
    printed = run_python("-c", code, BRICKWORK_COMPAT="mmvc")
    assert "take one of mmcv, mmengine, got 'mmvc'" in printed
