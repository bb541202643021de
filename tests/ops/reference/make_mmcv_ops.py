"""Store what mmcv 1.7.2's compiled operators compute on a CPU.

Run where mmcv 1.7.2 is importable with its operators, see README.md beside this file::

    python make_mmcv_ops.py
"""

from pathlib import Path

import mmcv.ops
import numpy as np
from cases import CASES

TARGET = Path(__file__).with_name("mmcv_ops_1_7_2.npz")


def main() -> None:
    stored = {}
    for name, case in CASES.items():
        for part, value in case(mmcv.ops).items():
            stored[f"{name}:{part}"] = value.detach().numpy()
    np.savez_compressed(TARGET, **stored)
    print(f"{len(CASES)} cases, {len(stored)} arrays, {TARGET.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
