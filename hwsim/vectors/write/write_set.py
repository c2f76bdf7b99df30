"""Writing a vector set: a folder per array layer, the manifest, the reference RTL and testbenches (spec/vectors.md).

The set appears whole or not at all: it grows in a folder beside OUT and takes its name at the end.
"""
from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from hwsim.errors import FileError, UsageError
from hwsim.vectors.write.folder import Extras
from hwsim.vectors.write.layer_files import write_layer
from hwsim.vectors.write.params import ParameterSets, header
from hwsim.vectors.write.readme import readme, run_file
from hwsim.vectors.write.vector_layer import VectorLayer, common_hw, cropped, hw_of
from hwsim.version import VERSION

Manifest = dict[str, Any]
Progress = Callable[[VectorLayer, int], None]

SCHEMA = "hwsim.vectors/1"
PLAIN = Extras()
TESTBENCHES = ("tb.v", "test_top.py")


@dataclass(frozen=True)
class Origin:
    """Where a set comes from: the command without `--out` and folders, the model's sha256 (None: directed), the seed."""

    command: str
    model_sha256: str | None = None
    seed: int = 0


def write_set(cases: Iterable[VectorLayer], out: str | Path, origin: Origin, extras: Extras = PLAIN,
              max_words: int | None = None, force: bool = False, progress: Progress | None = None) -> Manifest:
    """The manifest of the set written to folder `out` from an iterable of VectorLayer, one layer at a time.

    progress(case, layers so far) is called before each layer. Errors: UsageError when `out` holds something already
    (with `force` another vector set is replaced, nothing else) or no layer was chosen, FileError when it cannot be written.
    """
    out = Path(out)
    _check_target(out, force)
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        grown = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.absolute().parent))
        try:
            manifest = _write_all(cases, grown, origin, extras, max_words, progress)
            _take_place(grown, out)
        finally:
            shutil.rmtree(grown, ignore_errors=True)
    except OSError as error:
        raise FileError(f"{out}: the output folder must be writable, not fail with {error.strerror or error}") from None
    return manifest


def _write_all(cases: Iterable[VectorLayer], folder: Path, origin: Origin, extras: Extras, max_words: int | None,
               progress: Progress | None) -> Manifest:
    layers: list[dict[str, object]] = []
    hardware: list[dict[str, object]] = []
    sets = ParameterSets()
    for case in cases:
        case = cropped(case, max_words) if max_words else case
        if progress:
            progress(case, len(layers))
        layers.append({**write_layer(case, folder / case.folder, extras), "params": sets.add(case)})
        hardware.append(hw_of(case))
    if not layers:
        raise UsageError("a vector set must have at least one array layer, not none")
    manifest = _manifest(layers, hardware, origin, sets)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    (folder / "README.txt").write_text(readme(manifest), "utf-8")
    (folder / "run.f").write_text(run_file(manifest), "utf-8")
    _copy_rtl(folder, sets)
    return manifest


def _manifest(layers: list[dict[str, object]], hardware: list[dict[str, object]], origin: Origin,
              sets: ParameterSets) -> Manifest:
    """manifest.json; each layer is given the hw keys that differ from the set's."""
    common = common_hw(hardware)
    for layer, hw in zip(layers, hardware):
        layer["hw"] = {key: value for key, value in hw.items() if common.get(key) != value}
    return {"schema": SCHEMA, "generator": {"name": "hwsim", "version": VERSION, "command": origin.command},
            "model_sha256": origin.model_sha256, "seed": origin.seed, "hw": common,
            "packing": {"lane0": "lsb", "sb_lane": "m*TN+i"},
            "params": [{"name": name, **values} for name, values in sets.named()], "layers": layers}


def _copy_rtl(folder: Path, sets: ParameterSets) -> None:
    """rtl/: the design; tb/: the benches, and a folder of parameters per build."""
    source = resources.files("hwsim.rtl")
    for name in ("rtl", "tb"):
        (folder / name).mkdir()
    for file in sorted(source.iterdir(), key=lambda file: file.name):
        if file.name in TESTBENCHES or file.name.endswith(".v"):
            place = "tb" if file.name in TESTBENCHES else "rtl"
            (folder / place / file.name).write_bytes(file.read_bytes())
    for name, values in sets.named():
        (folder / "tb" / name).mkdir()
        (folder / "tb" / name / "params.vh").write_text(header(values), "utf-8")


def _check_target(out: Path, force: bool) -> None:
    """Raises UsageError unless `out` is new, empty, or by `force` a vector set."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not force:
        raise UsageError(f"{out}: the output folder must be new or empty, not filled (--force replaces a vector set)")
    if not is_set(out):
        raise UsageError(f"{out}: --force must replace a vector set, not something else")


def is_set(folder: str | Path) -> bool:
    """Whether a folder holds a vector set of this schema."""
    try:
        with open(Path(folder) / "manifest.json", encoding="utf-8") as stream:
            return f'"schema": "{SCHEMA}"' in stream.read(200)
    except (OSError, UnicodeDecodeError):
        return False


def _take_place(grown: Path, out: Path) -> None:
    """Moves the complete set to `out`, in place of what was there."""
    if out.exists():
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.absolute().parent))
        os.replace(out, old / "set")
        shutil.rmtree(old)
    grown.chmod(0o755)
    os.replace(grown, out)
