"""Server that runs programs in processes forked from itself, after the costly imports.

Each line of its input is a request in JSON, ``[world_size, killed_after, output, [program,
argument, ...]]``; the response is a line with the exit code. The processes find each other by the
variables that torchrun sets. With ``killed_after``, a number of a training step, all are killed
while they save for the first time after that step. A program that takes longer than `TIMEOUT` is
killed too.
"""

from __future__ import annotations

import builtins
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import warnings
from contextlib import suppress
from typing import NoReturn

import torch

COSTLY_IMPORTS = (
    "brickwork_models",
    "sklearn.datasets",
    "torch.distributed.checkpoint.state_dict",
    "torch.distributed.device_mesh",
    "torch.distributed.fsdp",
    "torch.distributed.tensor",
)

TIMEOUT = 180  # seconds


def import_costly_modules() -> None:
    """Import what most programs need; where one package is tested alone, some are missing."""
    for name in COSTLY_IMPORTS:
        with suppress(ModuleNotFoundError):
            importlib.import_module(name)
    with suppress(ImportError):
        getattr(importlib.import_module("brickwork_zoo"), "load_checkpoint")  # lazy  # noqa: B009


def kill_after(step: int) -> None:
    """Kill all processes, as a power failure would, at the first ``fsync`` after a step."""
    printed: list[object] = []
    original_print, original_fsync = builtins.print, os.fsync

    def recording_print(*args: object, **options: object) -> None:
        printed.extend(args)
        original_print(*args, **options)

    def killing_fsync(file: int) -> None:
        if any(f"step {step:4} " in str(line) for line in printed):
            os.killpg(0, signal.SIGKILL)
        original_fsync(file)

    builtins.print, os.fsync = recording_print, killing_fsync


def run_rank(rank: int, program: str) -> NoReturn:
    """Run the program as one process of the group and exit."""
    code = 1
    try:
        os.environ.update({"RANK": str(rank), "LOCAL_RANK": str(rank)})
        runpy.run_path(program, run_name="__main__")
        code = 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def run_group(world_size: int, killed_after: int, output: str, argv: list[str]) -> NoReturn:
    """Fork the processes of a group, wait for all of them and exit with 1 if one failed."""
    os.setsid()
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
    signal.alarm(TIMEOUT)
    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = argv
    with socket.socket() as free_port:
        free_port.bind(("127.0.0.1", 0))
        os.environ["MASTER_PORT"] = str(free_port.getsockname()[1])
    os.environ.update(MASTER_ADDR="127.0.0.1", WORLD_SIZE=str(world_size), GLOO_SOCKET_IFNAME="lo")
    if killed_after:
        kill_after(killed_after)
    children = []
    for rank in range(world_size):
        child = os.fork()
        if not child:
            run_rank(rank, argv[0])
        children.append(child)
    codes = [os.waitpid(child, 0)[1] for child in children]
    os._exit(any(codes))


def main() -> None:
    """Answer requests until the input ends."""
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    import_costly_modules()
    # Tearing gloo down hangs or aborts now and then; these processes end by `os._exit` instead.
    torch.distributed.destroy_process_group = torch.distributed.barrier
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            run_group(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
