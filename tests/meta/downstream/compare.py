"""Compare two results of `fingerprint.py`: say how many of how many agree, fail if one does not.

    python compare.py ours.json original.json

Keys, shapes and initial weights must be the same bits. So must outputs on the same PyTorch; on
another, whose kernels may round otherwise, their spread must agree to three decimals.
"""

import json
import sys
from pathlib import Path


def differences(ours: dict, original: dict, same_torch: bool) -> list[str]:
    """Return what differs between two networks."""
    if "error" in ours:
        return [ours["error"]]
    wrong = [part for part in ("keys", "weights") if ours[part] != original[part]]
    if same_torch and ours["outputs"] != original["outputs"]:
        wrong.append("outputs")
    close = len(ours["summary"]) == len(original["summary"]) and all(
        abs(a - b) <= 1e-3 * max(1.0, abs(b))
        for a, b in zip(ours["summary"], original["summary"], strict=True)
    )
    return wrong if close else [*wrong, "summary"]


def main() -> None:
    ours, original = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    same_torch = ours["torch"] == original["torch"]
    # what the original itself cannot build or run proves nothing
    wanted = {name: row for name, row in original["networks"].items() if "error" not in row}
    agreed = 0
    for name, row in ours["networks"].items():
        if name not in wanted:
            continue
        wrong = differences(row, wanted[name], same_torch)
        agreed += not wrong
        if wrong:
            print(f"{name} ({row['backbone']}): {', '.join(wrong)}")
    compared = len(wanted.keys() & ours["networks"].keys())
    outputs = "and outputs" if same_torch else "and the spread of outputs"
    print(
        f"{ours['package']}: {agreed} of {compared} networks agree in keys, initial weights"
        f" {outputs} (PyTorch {ours['torch']} and {original['torch']})"
    )
    sys.exit(agreed != compared)


if __name__ == "__main__":
    main()
