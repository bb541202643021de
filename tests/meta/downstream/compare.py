"""Compare two results of `fingerprint.py`: say how many of how many agree, fail if one does not.

    python compare.py ours.json original.json

Keys, shapes and initial weights must be the same bits; of outputs, the spread must agree to three
decimals, and it is said how many are the same bits, where both sides ran on the same PyTorch.
"""

import json
import sys
from pathlib import Path


def differences(ours: dict, original: dict) -> list[str]:
    """Return what differs between two networks."""
    if "error" in ours:
        return [ours["error"]]
    wrong = [part for part in ("keys", "weights") if ours[part] != original[part]]
    close = len(ours["summary"]) == len(original["summary"]) and all(
        abs(a - b) <= 1e-3 * max(1.0, abs(b))
        for a, b in zip(ours["summary"], original["summary"], strict=True)
    )
    return wrong if close else [*wrong, "outputs"]


def main() -> None:
    ours, original = (json.loads(Path(path).read_text()) for path in sys.argv[1:3])
    # what the original itself cannot build or run proves nothing
    wanted = {name: row for name, row in original["networks"].items() if "error" not in row}
    names = [name for name in ours["networks"] if name in wanted]
    agreed = same_bits = 0
    for name in names:
        row = ours["networks"][name]
        wrong = differences(row, wanted[name])
        agreed += not wrong
        same_bits += not wrong and row["outputs"] == wanted[name]["outputs"]
        if wrong:
            print(f"{name} ({row['backbone']}): {', '.join(wrong)}")
        elif row["outputs"] != wanted[name]["outputs"]:
            print(f"{name} ({row['backbone']}): outputs agree, but not in their last bits")
    print(
        f"{ours['package']}: {agreed} of {len(names)} networks agree in keys, initial weights and"
        f" outputs, {same_bits} of them to the last bit"
        f" (PyTorch {ours['torch']} and {original['torch']})"
    )
    sys.exit(agreed != len(names))


if __name__ == "__main__":
    main()
