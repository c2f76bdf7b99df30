"""Reading what an RTL did: the plain event trace, a VCD, or .npy arrays, as one Trace per layer (spec/vectors.md section 6).

A Trace holds per kind (A accumulator, O output) the words by address: hex text in lower case, x where unknown.
"""
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hwsim.errors import FileError
from hwsim.vectors.read.vectorset import LayerFiles
from hwsim.vectors.write import hexfile

STEM = {"A": "acc", "O": "out"}
HEX = frozenset("0123456789abcdefx")


@dataclass(eq=False)
class Trace:
    """words[kind]: address -> hex text; cycles[kind]: address -> cycle (None where a source has no time);
    done: cycle of D or None; repeated: (cycle, kind, address) of events that came a second time."""

    words: dict[str, dict[int, str]] = field(default_factory=lambda: {"A": {}, "O": {}})
    cycles: dict[str, dict[int, int | None]] = field(default_factory=lambda: {"A": {}, "O": {}})
    done: int | None = None
    timed: bool = True
    repeated: list[tuple[int, str, int]] = field(default_factory=list)

    def add(self, cycle: int | None, kind: str, address: int, text: str) -> None:
        """One event; a second word at an address is noted in `repeated` and dropped."""
        if address in self.words[kind]:
            self.repeated.append((cycle or 0, kind, address))     # a source without time has each address once
            return
        self.words[kind][address] = text
        self.cycles[kind][address] = cycle


def read_trace(path: str | Path, layer: LayerFiles) -> Trace:
    """The Trace in a plain text file, checked against the LayerFiles it should belong to.

    Errors: FileError for a line that is no event, or a word or address that cannot be of this layer.
    """
    trace = Trace()
    try:
        with open(path, encoding="ascii") as stream:
            for number, line in enumerate(stream, 1):
                _read_line(trace, line, layer, f"{path}: line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: a trace must be a readable text file, not fail with {error}") from None
    if not trace.words["A"] and not trace.words["O"] and trace.done is None:
        raise FileError(f"{path}: a trace must have A, O or D events, not none")
    return trace


def _read_line(trace: Trace, line: str, layer: LayerFiles, where: str) -> None:
    """Adds the event of a line to the trace; blank lines and comments have none."""
    parts = line.split()
    if not parts or parts[0].startswith("#"):
        return
    if len(parts) != 4 or not parts[0].isdigit() or parts[1] not in ("A", "O", "D") or not parts[2].isdigit():
        raise FileError(f"{where}: an event must be `cycle A|O|D addr hex`, not {line.strip()[:60]!r}")
    cycle, kind, address = int(parts[0]), parts[1], int(parts[2])
    if kind == "D":
        trace.done = cycle if trace.done is None else trace.done
        return
    trace.add(cycle, kind, address, checked_word(layer, kind, address, parts[3], where))


def checked_word(layer: LayerFiles, kind: str, address: int, text: str, where: str) -> str:
    """The word in lower case, z as x. Errors: FileError, beginning with `where`, unless address and digits are the layer's."""
    text = text.lower().replace("z", "x")
    entry = layer.file(f"{STEM[kind]}.hex")
    width = hexfile.digits(entry["lanes"], entry["lane_bits"])
    if len(text) != width or not HEX.issuperset(text):
        raise FileError(f"{where}: {kind} words of {layer.name} must have {width} hex digits, not {text[:40]!r}: another set?")
    if address >= layer.words:
        raise FileError(f"{where}: {kind} addresses of {layer.name} must be below {layer.words}, not {address}: another set?")
    return text


def read_array(path: str | Path, layer: LayerFiles) -> Trace:
    """The Trace of a .npy array (h,w,c) of outputs, or of accumulators when its name says acc; it has no cycles.

    Errors: FileError for an unreadable file and for other shapes, types or ranges than the layer's.
    """
    kind = "A" if "acc" in Path(path).stem else "O"
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FileError(f"{path}: must be an .npy array, not unreadable ({error})") from None
    entry, size = layer.file(f"{STEM[kind]}.hex"), layer.entry["out"]
    shape = (size["h"], size["w"], size["c"])
    if values.dtype.kind not in "iu" or values.size != int(np.prod(shape)) or values.shape[-3:] != shape[-values.ndim:]:
        raise FileError(f"{path}: must hold integers of shape {shape}, not {values.dtype} {values.shape}")
    return _of_values(values.reshape(shape), kind, entry, layer, path)


def _of_values(values: np.ndarray, kind: str, entry: Mapping[str, Any], layer: LayerFiles, path: str | Path) -> Trace:
    """The Trace of checked values (h,w,c)."""
    bits = entry["lane_bits"]
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if entry["signed"] else (0, (1 << bits) - 1)
    if values.size and (int(values.min()) < low or int(values.max()) > high):
        raise FileError(f"{path}: {STEM[kind]} values of {layer.name} must fit {bits} bits, not {values.min()}..{values.max()}")
    lanes = np.zeros((*values.shape[:2], layer.entry["cot"] * layer.tm), np.int64)
    lanes[..., :values.shape[2]] = values
    lines = hexfile.pack(lanes.reshape(-1, layer.tm), bits).decode().split()
    trace = Trace(timed=False)
    for address, text in enumerate(lines):
        trace.add(None, kind, address, text)
    return trace


def lane_values(text: str, entry: Mapping[str, Any]) -> list[int | str]:
    """The lanes of one hex word as integers, or the string X for a lane with an unknown bit; entry: of the file in files[]."""
    bits, mask = entry["lane_bits"], (1 << entry["lane_bits"]) - 1
    unknown = int("".join("f" if c == "x" else "0" for c in text), 16)
    known = int(text.replace("x", "0"), 16)
    lanes: list[int | str] = []
    for lane in range(entry["lanes"]):
        value = known >> (lane * bits) & mask
        negative = entry["signed"] and value >> (bits - 1)
        lanes.append("X" if unknown >> (lane * bits) & mask else value - (negative << bits))
    return lanes
