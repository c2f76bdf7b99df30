"""`hwsim vectors --verify`: every file of a set read again, its digits and checksum checked, every value computed anew."""
from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hwsim import files
from hwsim.errors import FileError
from hwsim.vectors.read.rebuild import rebuild
from hwsim.vectors.read.vectorset import LayerFiles, open_set
from hwsim.vectors.write.folder import Extras
from hwsim.vectors.write.layer_files import write_layer

COMPUTED = ("csr", "cycles", "stats", "cit", "cot", "op")


@dataclass(frozen=True)
class Verified:
    """How many layers, files and words of hex were right."""

    layers: int
    files: int
    words: int


def verify_set(root: str | Path, progress: Callable[[LayerFiles, int], None] | None = None) -> Verified:
    """The Verified counts, once every file of the set in `root` is what its manifest and the arithmetic say.

    progress(layer, layers so far) is called before each layer. Errors: FileError at the first file that is missing,
    truncated or altered, or whose values are not what the others imply.
    """
    vector_set = open_set(root)
    files = words = 0
    for done, layer in enumerate(vector_set.layers):
        if progress:
            progress(layer, done)
        check_sums(layer)
        layer.check()
        _check_values(layer)
        files += len(layer.entry["files"])
        words += sum(entry["words"] for entry in layer.entry["files"] if entry["path"].endswith(".hex"))
    return Verified(len(vector_set.layers), files, words)


def check_sums(layer: LayerFiles) -> None:
    """Raises FileError unless every file of the layer has the sha256 of the manifest."""
    for entry in layer.entry["files"]:
        path = layer.root / entry["path"]
        if not path.is_file():
            raise FileError(f"{path}: must exist, not be missing")
        if files.sha256(path) != entry["sha256"]:
            raise FileError(f"{path}: must have the sha256 of the manifest, not be altered")


def _check_values(layer: LayerFiles) -> None:
    """Writes the layer again from its own stimulus and compares every file and number."""
    names = [entry["path"] for entry in layer.entry["files"]]
    byte_image, c_header, trace = (any(name.endswith(end) for name in names) for end in (".bin", ".h", ".gz"))
    with tempfile.TemporaryDirectory() as place:
        again = write_layer(rebuild(layer), Path(place) / layer.entry["folder"], Extras(byte_image, c_header, trace))
    for key in COMPUTED:
        if again[key] != layer.entry[key]:
            raise FileError(f"{layer.root}/manifest.json: {key} of {layer.name} must be {again[key]}, not {layer.entry[key]}")
    expected = {entry["path"]: entry for entry in again["files"]}
    for entry in layer.entry["files"]:
        wanted = expected.pop(entry["path"], None)
        if wanted is not None and wanted != entry:
            raise FileError(f"{layer.root / entry['path']}: values must be what the other files imply, not differ")
    if expected:
        raise FileError(f"{layer.root}/manifest.json: {layer.name} must list {sorted(expected)[0]}, not leave it out")
