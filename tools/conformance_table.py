"""Prints the conformance table of docs/importing.md: every .h5 case, its verdict and the largest relative difference.

    python tools/conformance_table.py ../shared/data > table.md
"""
import json
import sys
from pathlib import Path

import numpy as np

from hwsim.errors import HwsimError
from hwsim.importers import load
from hwsim.quantization.float_net.run import evaluate

FOLDERS = ("conformance/keras", "checkpoints", "conformance/bad")


def rows(data):
    """(file, verdict, result) per case, in the order of the indexes."""
    for folder in FOLDERS:
        for entry in json.loads((data / folder / "index.json").read_text()):
            if entry["file"].endswith((".h5", ".hdf5")) or folder.endswith("bad"):
                yield entry["file"], entry["verdict"], _result(data, folder, entry)


def _result(data, folder, entry):
    """The largest difference as a fraction of the largest output, or why the file is refused."""
    path = data / folder / entry["file"]
    try:
        graph = load(path)
    except HwsimError as error:
        return str(error).removeprefix(f"{path}: ")
    npz = data / folder / entry["npz"]
    stored = np.load(npz if npz.exists() else data / "conformance/keras" / entry["npz"])
    return f"{max(_difference(graph, stored, size) for size in entry['sizes']):.1e}"


def _difference(graph, stored, size):
    outputs = evaluate(graph, {name: stored[key] for name, key in zip(graph.inputs, size["inputs"], strict=True)})
    return max(_relative(value, stored, key) for value, key in zip(outputs, size["outputs"], strict=True))


def _relative(value, stored, key):
    """|value - reference| at most, over the largest |reference|; a large reference keeps only a window of itself."""
    kept = stored[key]
    largest = stored[f"{key}_absmax"] if f"{key}_absmax" in stored else np.abs(kept).max()
    if f"{key}_at" in stored:
        value = value[tuple(slice(at, at + size) for at, size in zip(stored[f"{key}_at"], kept.shape))]
    if value.shape != kept.shape:
        raise SystemExit(f"{key} must have shape {kept.shape}, not {value.shape}")
    return float(np.abs(value - kept).max() / largest)


def main(data):
    print("| file | verdict | largest relative difference, or the refusal |\n|---|---|---|")
    for file, verdict, result in rows(Path(data)):
        print(f"| {file} | {verdict} | {result.replace('|', '/')} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
