"""Run programs in real processes, forked from this one, which has imported what is costly.

Each line of the input is a request, ``[processes, killed_after, output, [program, argument, ...]]``
in JSON; the answer is a line with the exit code. The processes find each other by the variables
that torchrun sets. With ``killed_after``, a number of steps, they are killed while they save for
the first time after that step; whatever takes longer than a test may is killed too.
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

COSTLY = (
    "brickwork_models",
    "brickwork_zoo._load._load_checkpoint",
    "sklearn.datasets",
    "torch.distributed.checkpoint.state_dict",
    "torch.distributed.device_mesh",
    "torch.distributed.fsdp",
    "torch.distributed.tensor",
)

PATIENCE = 180  # seconds


def kill_after(step: int) -> None:
    """Kill all processes, as when a machine goes down, at the first ``fsync`` after a step."""
    shown: list[object] = []
    say, sync = builtins.print, os.fsync

    def note(*args: object, **options: object) -> None:
        shown.extend(args)
        say(*args, **options)

    def die(file: int) -> None:
        if any(f"step {step:4} " in str(line) for line in shown):
            os.killpg(0, signal.SIGKILL)
        sync(file)

    builtins.print, os.fsync = note, die


def run(rank: int, program: str) -> NoReturn:
    """Be one of the processes."""
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


def together(world: int, killed_after: int, output: str, argv: list[str]) -> NoReturn:
    """Run a program in processes of one session, and be the one that waits for them."""
    os.setsid()
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(0, signal.SIGKILL))
    signal.alarm(PATIENCE)
    file = os.open(output, os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 1)
    os.dup2(file, 2)
    sys.argv = argv
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        os.environ["MASTER_PORT"] = str(free.getsockname()[1])
    os.environ.update(MASTER_ADDR="127.0.0.1", WORLD_SIZE=str(world), GLOO_SOCKET_IFNAME="lo")
    if killed_after:
        kill_after(killed_after)
    children = []
    for rank in range(world):
        child = os.fork()
        if not child:
            run(rank, argv[0])
        children.append(child)
    codes = [os.waitpid(child, 0)[1] for child in children]
    os._exit(any(codes))


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    for name in COSTLY:
        with suppress(ModuleNotFoundError):  # where one package is tested alone
            importlib.import_module(name)
    # Tearing gloo down hangs or aborts now and then; these processes end by `os._exit` instead.
    torch.distributed.destroy_process_group = torch.distributed.barrier
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            together(*json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
