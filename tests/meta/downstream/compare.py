"""Compare two results of `fingerprint.py`: print how many modules agree, fail if one does not.

    python compare.py ours.json original.json [--write docs/_static/downstream.json]

Keys, shapes and initial weights must be equal bit for bit; the statistics of outputs must agree to
three decimals. The number of outputs that are equal bit for bit is printed as well. Modules that
mmcv cannot build or run either are listed, and configs that were skipped. The documentation states
the counts, which are written to a file.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


def parts(networks: dict[str, dict]) -> Iterator[tuple[str, str, dict]]:
    """Yield kind, name and result of each backbone and neck."""
    for name, row in networks.items():
        yield "backbones", f"{name} ({row['backbone']})", row
        for index, neck in enumerate(row.get("necks", [])):
            yield "necks", f"{name}, neck {index} ({neck['neck']})", neck


def differences(ours: dict, original: dict) -> list[str]:
    """Return what differs between two modules."""
    if "error" in ours:
        return [ours["error"]]
    wrong = [part for part in ("keys", "weights") if ours[part] != original[part]]
    close = len(ours["summary"]) == len(original["summary"]) and all(
        abs(a - b) <= 1e-3 * max(1.0, abs(b))
        for a, b in zip(ours["summary"], original["summary"], strict=True)
    )
    return wrong if close else [*wrong, "outputs"]


def compare(ours: dict, original: dict) -> tuple[dict, list[str]]:
    """Return the counts, and a line for each difference from mmcv."""
    found = {name: row for _, name, row in parts(ours["networks"])}
    taken = {name for name in original["networks"] if name in ours["networks"]}
    counts = {kind: Counter(there=0, agree=0, same_bits=0) for kind in ("backbones", "necks")}
    failing, lines = [], []
    for kind, name, row in parts({name: original["networks"][name] for name in sorted(taken)}):
        if "error" in row:  # proves nothing
            failing.append(name)
            continue
        counts[kind]["there"] += 1
        mine = found.get(name, {"error": "was not built, as its backbone failed"})
        if wrong := differences(mine, row):
            lines.append(f"{name}: {', '.join(wrong)}")
            continue
        counts[kind]["agree"] += 1
        counts[kind]["same_bits"] += mine["outputs"] == row["outputs"]
        if mine["outputs"] != row["outputs"]:
            lines.append(f"{name}: outputs agree, but not in their last bits")
    return {
        "torch": ours["torch"],
        **counts,
        "other_bits": [line.split(":")[0] for line in lines if "last bits" in line],
        "original_fails": failing,
        "left_out": ours["left out"],
    }, lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ours", type=Path)
    parser.add_argument("original", type=Path)
    parser.add_argument("--write", type=Path, help="where to put the counts, by package")
    arguments = parser.parse_args()
    ours, original = (json.loads(path.read_text()) for path in (arguments.ours, arguments.original))
    counts, lines = compare(ours, original)
    for name in counts["original_fails"]:
        print(f"{name}: not compared, mmcv fails as well")
    for name, reason in counts["left_out"].items():
        print(f"{name}: not taken, {reason}")
    print(*lines, sep="\n")
    for kind in ("backbones", "necks"):
        print(
            f"{ours['package']}: {counts[kind]['agree']} of {counts[kind]['there']} {kind} agree in"
            f" keys, initial weights and outputs, {counts[kind]['same_bits']} of them to the last"
            f" bit (PyTorch {ours['torch']} and {original['torch']})"
        )
    if arguments.write:
        written = json.loads(arguments.write.read_text()) if arguments.write.exists() else {}
        written[ours["package"]] = counts
        arguments.write.write_text(json.dumps(written, indent=1, sort_keys=True) + "\n")
    sys.exit(any(counts[kind]["agree"] != counts[kind]["there"] for kind in ("backbones", "necks")))


if __name__ == "__main__":
    main()
