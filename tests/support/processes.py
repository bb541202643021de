"""Programs in several processes of one process group."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.repository import ROOT


class ProcessServer:
    """A forking server, `process_server`, which imports torch once for all programs that it runs.

    Args:
        folder: Folder for the output of the programs and the zoo's home.
    """

    def __init__(self, folder: Path) -> None:
        self._output = folder / "output"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.process_server"],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", "BRICKWORK_HOME": str(folder / "home")},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def run(self, world_size: int, program: Path, *arguments: object, killed_after: int = 0) -> str:
        """Run a program in `world_size` processes and return what they print.

        Args:
            world_size: Number of processes.
            program: Script that reads torchrun's environment variables.
            *arguments: Command line of the program.
            killed_after: Number of a training step; all processes are killed while they save for
                the first time after it.
        """
        self._output.unlink(missing_ok=True)
        argv = [str(program), *map(str, arguments)]
        request = [world_size, killed_after, str(self._output), argv]
        requests, responses = self._process.stdin, self._process.stdout
        assert requests
        assert responses
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        code = int(responses.readline())
        printed = self._output.read_text(encoding="utf-8")
        assert code == (-signal.SIGKILL if killed_after else 0), printed
        return printed

    def close(self) -> None:
        """End the server."""
        self._process.communicate(timeout=60)
