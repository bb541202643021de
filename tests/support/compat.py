"""Code in fresh interpreters after `brickwork.compat`, which takes effect once per process."""

import textwrap

from tests.support.python import run_python


def after_mmcv(code: str, **environment: str) -> str:
    """Run code after `brickwork.compat.mmcv.install()` and return what it prints."""
    return run_python("-c", _with_install("mmcv", code), **environment)


def after_mmengine(code: str, **environment: str) -> str:
    """Run code after `brickwork.compat.mmengine.install()` and return what it prints."""
    return run_python("-c", _with_install("mmengine", code), **environment)


def _with_install(generation: str, code: str) -> str:
    install = f"import brickwork.compat.{generation} as compat\ncompat.install()\n"
    return install + textwrap.dedent(code)
