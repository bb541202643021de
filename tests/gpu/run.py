"""Run the checks of `checks.py` on a GPU, in less than 5 minutes.

    python tests/gpu/run.py [--device cuda] [CHECK ...]

It needs a checkout, torch and what the packages depend on: numpy, requests, filelock
and tqdm. The packages are imported from the checkout; nothing is downloaded.
"""

import argparse
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), *map(str, ROOT.glob("packages/*/src")), str(ROOT / "meta" / "src")]

import torch  # noqa: E402

from tests.gpu.checks import CHECKS  # noqa: E402


def main() -> int:
    """Run the checks and return the number of those that failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="part of a name; all by default")
    parser.add_argument("--device", default="cuda")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("--device must be available, got cuda; rehearse with --device cpu")
    about = torch.cuda.get_device_name() if device.type == "cuda" else "CPU, a rehearsal"
    print(f"torch {torch.__version__} on {about}", flush=True)
    failed = []
    for name, check in CHECKS.items():
        if arguments.checks and not any(part in name for part in arguments.checks):
            continue
        start = time.perf_counter()
        try:
            check(device)
        except Exception:
            failed.append(name)
            traceback.print_exc()
        result = "FAILED" if name in failed else "passed"
        print(f"{result} {time.perf_counter() - start:6.1f} s  {name}", flush=True)
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "all passed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
