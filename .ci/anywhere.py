"""Run the tests under the settings of other machines: processors, users, locales, paths, networks.

    hatch run anywhere [SETTING ...]

Each setting runs the tests that it can affect; all of them take about 15 minutes on two idle cores.
Settings that need namespaces of Linux are skipped where those are not allowed.
"""

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
NUMBERS = ("tests/reference", "tests/models", "tests/init", "tests/layers")
FILES = ("tests/zoo", "tests/registry")
BOTH = ("tests/reference", *FILES)

# As a user that is not root: without the capability to ignore permissions.
AS_USER = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
# Only loopback, which starts down.
NO_NETWORK = ("unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"')


@dataclasses.dataclass(frozen=True)
class Setting:
    """A setting of another machine.

    Attributes:
        tests: Paths of the tests that it can affect.
        variables: Environment variables.
        options: Options of pytest.
        prefix: Command that runs the tests.
        repeat: Number of runs.
    """

    tests: tuple[str, ...]
    variables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: tuple[str, ...] = ()
    prefix: tuple[str, ...] = ()
    repeat: int = 1


SETTINGS = {
    "no-vectors": Setting(NUMBERS, {"ATEN_CPU_CAPABILITY": "default"}),
    "avx2": Setting(NUMBERS, {"ATEN_CPU_CAPABILITY": "avx2"}),
    "mkl-compatible": Setting(NUMBERS, {"MKL_CBWR": "COMPATIBLE"}),
    "four-threads": Setting(NUMBERS, {"OMP_NUM_THREADS": "4"}),
    "serial": Setting(("tests/registry", "tests/reference"), options=("-n", "0")),
    **{
        f"random-order-{seed}": Setting(BOTH, options=("-p", "randomly", f"--randomly-seed={seed}"))
        for seed in (1, 2, 3)
    },
    "not-root": Setting(FILES, prefix=AS_USER),
    "read-only-home": Setting(FILES, {"HOME": "read-only"}, prefix=AS_USER),
    "no-utf8": Setting(FILES, {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}),
    "no-network": Setting(FILES, prefix=(*NO_NETWORK, "sh")),
    "odd-path": Setting(FILES, {"PYTHONPATH": "copy"}),
    "busy": Setting(("tests/zoo/test_zoo_processes.py",), repeat=10),
}


def copy_of_the_sources(folder: Path) -> Path:
    """Copy packages and tests to a path with a space and a non-ASCII character."""
    copy = folder / "Prüf stand"
    for name in ("packages", "meta", "tests", "docs", ".ci"):
        ignore = shutil.ignore_patterns("__pycache__", "_build")
        shutil.copytree(ROOT / name, copy / name, ignore=ignore)
    for name in ("pyproject.toml", "hatch.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    return copy


def run(setting: Setting, folder: Path) -> str:
    """Run the tests of a setting and return an empty string, or why it failed."""
    temporary = folder / "tmp"
    temporary.mkdir()
    root = ROOT
    variables = {**os.environ, "TMPDIR": str(temporary), **setting.variables}
    if variables.get("PYTHONPATH") == "copy":
        root = copy_of_the_sources(folder)
        variables["PYTHONPATH"] = os.pathsep.join(map(str, root.glob("*/**/src")))
    if variables["HOME"] == "read-only":
        home = folder / "home"
        home.mkdir(mode=0o555)
        variables["HOME"] = str(home)
    options = setting.options or ("-n", "2", "--dist", "loadfile")
    command = [*setting.prefix, sys.executable, "-m", "pytest", "-q", "-m", "not slow"]
    command += ["-p", "no:cacheprovider", *options, *setting.tests]
    busy = None
    if setting.repeat > 1:
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for _ in range(setting.repeat):
            if code := subprocess.run(command, cwd=root, env=variables).returncode:
                return f"exit code {code}"
            if left := leftovers(temporary):
                return f"left behind: {left}"
    finally:
        if busy:
            busy.kill()
            busy.wait()
    return ""


def leftovers(temporary: Path) -> list[str]:
    """Return processes and files left behind, except pytest's folder and torch's cache."""
    expected = ("pytest-of-", "torchinductor_")
    files = [path.name for path in temporary.iterdir() if not path.name.startswith(expected)]
    processes = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes()
            command = (
                (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            )
        except OSError:
            continue
        if f"TMPDIR={temporary}".encode() in variables.split(b"\0"):
            processes.append(f"{folder.name}: {command[:80]}")
    return files + processes


def is_allowed(prefix: tuple[str, ...]) -> bool:
    """Return whether the command that runs the tests works here."""
    if not prefix:
        return True
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], capture_output=True).returncode == 0


def main() -> int:
    """Run the settings and return the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", nargs="*", metavar="SETTING", help=", ".join(SETTINGS))
    names = parser.parse_args().settings or list(SETTINGS)
    if unknown := set(names) - SETTINGS.keys():
        parser.error(f"unknown settings {sorted(unknown)}; known: {', '.join(SETTINGS)}")
    results = {}
    for name in names:
        setting, start = SETTINGS[name], time.monotonic()
        if not is_allowed(setting.prefix):
            results[name] = "skipped: not allowed here"
            continue
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="anywhere-") as folder:
            failure = run(setting, Path(folder))
        seconds = time.monotonic() - start
        results[name] = f"failed, {failure}" if failure else f"passed in {seconds:.0f} s"
    for name, result in results.items():
        print(f"{name:16} {result}")
    return sum(result.startswith("failed") for result in results.values())


if __name__ == "__main__":
    sys.exit(main())
