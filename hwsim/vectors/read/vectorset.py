"""Reading a vector set: the manifest and the files of a layer, all of it untrusted (spec/vectors.md section 4)."""
from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.errors import FileError, UsageError
from hwsim.fixed.formats import Datapath, IntFormat
from hwsim.ops.epilogue import REQUANTIZERS, Stage
from hwsim.ops.weights import WeightFormat, weight_format
from hwsim.settings import translate
from hwsim.vectors.write import hexfile

SCHEMA = "hwsim.vectors/1"
MAX_MANIFEST = 1 << 28
BLOCK_LANES = 1 << 18
SAFE = re.compile(r"^\w[\w.-]*/\w[\w.-]*$", re.ASCII)
SET_KEYS = {"schema": str, "generator": dict, "hw": dict, "layers": list, "params": list}
LAYER_KEYS = {"id": int, "name": str, "folder": str, "op": str, "in": dict, "out": dict, "k": list, "stride": list,
              "dilation": list, "pad": list, "clamp": list, "cit": int, "cot": int, "csr": dict, "hw": dict, "cycles": dict,
              "stats": dict, "files": list, "params": str, "rowpack": bool, "groups": int, "pad_code": int}
FILE_KEYS = {"path": str, "kind": str, "word_bits": int, "lanes": int, "lane_bits": int, "signed": bool, "words": int,
             "layout": str, "sha256": str}


@dataclass(frozen=True, eq=False)
class LayerFiles:
    """One layer of a set: its manifest entry, its hw (the set's, with the layer's own keys) and its files."""

    root: Path
    entry: dict[str, Any]
    hw: dict[str, Any]

    @property
    def name(self) -> str:
        """The layer's name, with the suffix of its group or phase."""
        return str(self.entry["name"])

    @property
    def folder(self) -> Path:
        """The layer's own folder."""
        return self.root / str(self.entry["folder"])

    @property
    def tn(self) -> int:
        """Input lanes of the array."""
        return int(self.hw["TN"])

    @property
    def tm(self) -> int:
        """Output lanes of the array."""
        return int(self.hw["TM"])

    @property
    def out_hw(self) -> tuple[int, int]:
        """Rows and columns of the output."""
        return self.entry["out"]["h"], self.entry["out"]["w"]

    @property
    def words(self) -> int:
        """Words of acc.hex and out.hex."""
        return self.out_hw[0] * self.out_hw[1] * int(self.entry["cot"])

    @property
    def in_format(self) -> IntFormat:
        """The input's codes."""
        return IntFormat(self.hw["act_bits"], self.hw.get("act_signed", True))

    @property
    def out_format(self) -> IntFormat:
        """The output's codes."""
        return IntFormat(self.hw.get("out_bits", self.hw["act_bits"]), self.hw.get("out_signed", True))

    @property
    def stage(self) -> type[Stage]:
        """The class of the requantizer's stage."""
        return REQUANTIZERS[self.hw["prelu"]]

    @property
    def weight_format(self) -> WeightFormat:
        """How the words of sb.hex stand for weights."""
        return weight_format(self.hw["w_format"], self.hw["w_bits"])

    @property
    def datapath(self) -> Datapath:
        """Widths and rules of the accumulator and the requantizer."""
        return Datapath.from_json(translate(self.hw, "device", "datapath"))

    def file(self, name: str) -> dict[str, Any]:
        """The manifest entry of a file of this layer, by its name (acc.hex); FileError when there is none."""
        files: list[dict[str, Any]] = self.entry["files"]
        for entry in files:
            if entry["path"] == f"{self.entry['folder']}/{name}":
                return entry
        raise FileError(f"{self.root}/manifest.json: {self.name} must list {name}, not leave it out")

    def has(self, name: str) -> bool:
        """Whether the manifest lists a file of this name."""
        return any(entry["path"].endswith(f"/{name}") for entry in self.entry["files"])

    def lines(self, stem: str) -> np.ndarray:
        """The hex lines of <stem>.hex as a uint8 memory map (WORDS, digits); FileError unless size and line ends are right."""
        entry = self.file(f"{stem}.hex")
        width, path = hexfile.digits(entry["lanes"], entry["lane_bits"]), self.root / entry["path"]
        size = entry["words"] * (width + 1)
        _check_size(path, size)
        text = np.memmap(path, np.uint8, "r", shape=(entry["words"], width + 1))
        if (text[:, -1] != ord("\n")).any():
            line = int(np.argmax(text[:, -1] != ord("\n"))) + 1
            raise FileError(f"{path}: every word must have {width} digits, not another count at line {line}")
        return text[:, :width]

    def blocks(self, stem: str) -> Iterator[np.ndarray]:
        """The words of <stem>.hex as int64 (N, lanes), some thousand at a time. Errors: FileError for no hex."""
        entry, lines = self.file(f"{stem}.hex"), self.lines(stem)
        step = max(1, BLOCK_LANES // entry["lanes"])
        for start in range(0, len(lines), step):
            words = hexfile.unpack(lines[start:start + step], entry["lanes"], entry["lane_bits"], entry["signed"])
            if words is None:
                raise FileError(f"{self.root / entry['path']}: words must be lower-case hex of {entry['word_bits']} bits, "
                                f"not other characters or bits")
            yield words

    def values(self, stem: str) -> np.ndarray:
        """The words of <stem>.hex as int64 (WORDS, lanes)."""
        return np.concatenate(list(self.blocks(stem)))

    def check(self) -> None:
        """Raises FileError unless csr.txn is there and every hex file has the digits and words that the manifest says."""
        session = self.root / self.file("csr.txn")["path"]
        if not session.is_file():
            raise FileError(f"{session}: must exist, not be missing")
        for entry in self.entry["files"]:
            if entry["path"].endswith(".hex"):
                for _ in self.blocks(Path(entry["path"]).stem):
                    pass

    def array(self, name: str) -> np.ndarray:
        """The integers of in.npy, out.npy or acc.npy (h,w,c), of the shape that the manifest says. Errors: FileError."""
        path, size = self.root / self.file(f"{name}.npy")["path"], self.entry["in" if name == "in" else "out"]
        shape = (size["h"], size["w"], size["c"])
        try:
            values: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise FileError(f"{path}: must be an .npy array, not unreadable ({error})") from None
        if values.shape != shape or values.dtype.kind != "i":
            raise FileError(f"{path}: must hold integers of shape {shape}, not {values.dtype} {values.shape}")
        return values


@dataclass(frozen=True, eq=False)
class VectorSet:
    """A set on disk. `layers` in the order of the array."""

    root: Path
    manifest: dict[str, Any]
    layers: tuple[LayerFiles, ...]

    def layer(self, name: str | None) -> LayerFiles:
        """The layer of this name or folder; without a name the only one. Errors: UsageError."""
        if name is None and len(self.layers) == 1:
            return self.layers[0]
        for layer in self.layers:
            if name in (layer.name, layer.entry["folder"]):
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise UsageError(f"{self.root}: --layer must be one of {names}, not {name}")


def open_set(root: str | Path) -> VectorSet:
    """The VectorSet in folder `root`; FileError when its manifest is missing, damaged or not of this schema."""
    root = Path(root)
    path = root / "manifest.json"
    manifest = _read_json(path)
    _check_keys(manifest, SET_KEYS, path, "the manifest")
    if manifest["schema"] != SCHEMA:
        raise FileError(f"{path}: schema must be {SCHEMA}, not {manifest['schema']}")
    layers = []
    for entry in manifest["layers"]:
        _check_keys(entry, LAYER_KEYS, path, "a layer")
        _check_files(entry, path)
        layers.append(LayerFiles(root, entry, {**manifest["hw"], **entry["hw"]}))
    if not layers:
        raise FileError(f"{path}: a set must have layers, not none")
    for layer in layers:
        _check_layer(layer, path)
    return VectorSet(root, manifest, tuple(layers))


def _check_files(entry: Mapping[str, Any], path: Path) -> None:
    """The files that a layer lists lie in its folder."""
    for file in entry["files"]:
        _check_keys(file, FILE_KEYS, path, f"a file of {entry['name']}")
        if not SAFE.match(file["path"]) or not file["path"].startswith(entry["folder"] + "/"):
            raise FileError(f"{path}: a file of {entry['name']} must lie in {entry['folder']}, not at {file['path']}")


def open_layer(folder: str | Path, name: str | None = None) -> LayerFiles:
    """The layer that `folder` names: a set with one layer or with `name`, or a layer's own folder inside a set."""
    folder = Path(folder)
    if not (folder / "manifest.json").exists() and (folder.absolute().parent / "manifest.json").exists():
        return open_set(folder.absolute().parent).layer(folder.absolute().name)
    return open_set(folder).layer(name)


def _read_json(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise FileError(f"{path}: a manifest must be at most {MAX_MANIFEST} bytes, not {path.stat().st_size}")
        return json.loads(path.read_text("utf-8"))
    except OSError:
        raise FileError(f"{path}: a vector set must have a manifest, not a missing or unreadable one") from None
    except ValueError:
        raise FileError(f"{path}: a manifest must be JSON, not damaged text") from None


def _check_keys(value: Any, keys: Mapping[str, type], path: Path, what: str) -> None:
    """`value` is an object that has these keys, each of its type."""
    if not isinstance(value, dict):
        raise FileError(f"{path}: {what} must be an object, not {type(value).__name__}")
    for key, kind in keys.items():
        if not isinstance(value.get(key), kind):
            raise FileError(f"{path}: {what} must have {key} ({kind.__name__}), not {value.get(key)!r:.40}")


def _check_layer(layer: LayerFiles, path: Path) -> None:
    """The numbers that the readers rely on: sizes, windows, words per file, tile times, hw."""
    entry, cycles = layer.entry, layer.entry["cycles"]
    sizes = [entry[side].get(key) for side in ("in", "out") for key in "hwc"]
    sizes += [entry["cit"], entry["cot"], entry["csr"].get("CIT")]
    windows = [*entry["k"], *entry["stride"], *entry["dilation"]]
    if not all(isinstance(n, int) and 0 < n < 1 << 20 for n in sizes + windows) or len(windows) != 6:
        raise FileError(f"{path}: {layer.name} must have sizes and windows of 1..{(1 << 20) - 1}, not {sizes + windows}")
    ends = [*entry["pad"], *entry["clamp"], cycles.get("total")]
    if len(ends) != 7 or not all(isinstance(n, int) for n in ends):
        raise FileError(f"{path}: {layer.name} must have four pads, two clamps and total cycles, not {ends}")
    tiles = cycles.get("per_cotile")
    if not isinstance(tiles, list) or len(tiles) != entry["cot"] or not all(
            isinstance(tile, dict) and isinstance(tile.get(key), int) for tile in tiles for key in ("load", "start", "end")):
        raise FileError(f"{path}: {layer.name} must have load, start and end of {entry['cot']} output tiles, not something else")
    try:
        layer.datapath, layer.in_format, layer.out_format, layer.weight_format  # noqa: B018 - each checks its keys
    except (KeyError, TypeError, ValueError, UsageError) as error:
        raise FileError(f"{path}: hw of {layer.name} must be complete and in range, not so: {error}") from None
    for file in entry["files"]:
        _check_words(layer, file, path)


def _check_words(layer: LayerFiles, file: Mapping[str, Any], path: Path) -> None:
    """Lanes and word counts of a hex file that the layer's own numbers settle."""
    if not file["path"].endswith(".hex"):
        return
    size, pixels = layer.entry["in"], layer.words
    settled = {"acc": (layer.tm, pixels), "out": (layer.tm, pixels), "bias": (layer.tm, layer.entry["cot"]),
               "nbin": (layer.tn, size["h"] * size["w"] * layer.entry["cit"]), "sb": (layer.tn * layer.tm, file["words"])}
    given = file["lanes"], file["words"]
    lanes, words = settled.get(file["kind"], given)
    if not 1 <= file["lane_bits"] <= 64 or not 1 <= file["lanes"] <= 4096 or given != (lanes, words):
        raise FileError(f"{path}: {file['path']} must have {words} words of {lanes} lanes, not {given[1]} of {given[0]}")


def _check_size(path: Path, size: int) -> None:
    """The file has this many bytes."""
    try:
        actual = path.stat().st_size
    except OSError:
        raise FileError(f"{path}: must exist, not be missing") from None
    if actual != size:
        raise FileError(f"{path}: must be {size} bytes, not {actual}")
