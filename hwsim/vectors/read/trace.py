"""Reading what an RTL did: the plain event trace, a VCD, or .npy arrays, as one Trace per layer (spec/vectors.md section 6).

A Trace holds per kind (A accumulator, O output) the words by address: hex text in lower case, x where unknown.
"""
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from hwsim.errors import FileError
from hwsim.vectors.write import hexfile

STEM = {"A": "acc", "O": "out"}
HEX = frozenset("0123456789abcdefx")


@dataclass(eq=False)
class Trace:
    """words[kind]: address -> hex text; cycles[kind]: address -> cycle (None where a source has no time);
    done: cycle of D or None; repeated: (cycle, kind, address) of events that came a second time."""

    words: dict = field(default_factory=lambda: {"A": {}, "O": {}})
    cycles: dict = field(default_factory=lambda: {"A": {}, "O": {}})
    done: int | None = None
    timed: bool = True
    repeated: list = field(default_factory=list)

    def add(self, cycle, kind, address, text):
        if address in self.words[kind]:
            self.repeated.append((cycle, kind, address))
            return
        self.words[kind][address] = text
        self.cycles[kind][address] = cycle


def read_trace(path, layer):
    """The Trace in a plain text file, checked against the LayerFiles it should belong to.

    Errors: FileError for a line that is no event, or a word or address that cannot be of this layer.
    """
    found = Trace()
    try:
        with open(path, encoding="ascii") as stream:
            for number, line in enumerate(stream, 1):
                _read_line(found, line, layer, f"{path}: line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: a trace must be a readable text file, not fail with {error}") from None
    if not found.words["A"] and not found.words["O"] and found.done is None:
        raise FileError(f"{path}: a trace must have A, O or D events, not none")
    return found


def _read_line(found, line, layer, where):
    parts = line.split()
    if not parts or parts[0].startswith("#"):
        return
    if len(parts) != 4 or not parts[0].isdigit() or parts[1] not in ("A", "O", "D") or not parts[2].isdigit():
        raise FileError(f"{where}: an event must be `cycle A|O|D addr hex`, not {line.strip()[:60]!r}")
    cycle, kind, address = int(parts[0]), parts[1], int(parts[2])
    if kind == "D":
        found.done = cycle if found.done is None else found.done
        return
    found.add(cycle, kind, address, checked_word(layer, kind, address, parts[3], where))


def checked_word(layer, kind, address, text, where):
    """The word in lower case, z as x, once address and digits are those of the layer."""
    text = text.lower().replace("z", "x")
    entry = layer.file(f"{STEM[kind]}.hex")
    width = hexfile.digits(entry["lanes"], entry["lane_bits"])
    if len(text) != width or not HEX.issuperset(text):
        raise FileError(f"{where}: {kind} words of {layer.name} must have {width} hex digits, not {text[:40]!r}: another set?")
    if address >= layer.words:
        raise FileError(f"{where}: {kind} addresses of {layer.name} must be below {layer.words}, not {address}: another set?")
    return text


def read_array(path, layer):
    """The Trace of a .npy array (h,w,c) of outputs, or of accumulators when its name says acc; it has no cycles."""
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


def _of_values(values, kind, entry, layer, path):
    bits = entry["lane_bits"]
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if entry["signed"] else (0, (1 << bits) - 1)
    if values.size and (int(values.min()) < low or int(values.max()) > high):
        raise FileError(f"{path}: {STEM[kind]} values of {layer.name} must fit {bits} bits, not {values.min()}..{values.max()}")
    lanes = np.zeros((*values.shape[:2], layer.entry["cot"] * layer.tm), np.int64)
    lanes[..., :values.shape[2]] = values
    lines = hexfile.pack(lanes.reshape(-1, layer.tm), bits).decode().split()
    found = Trace(timed=False)
    for address, text in enumerate(lines):
        found.add(None, kind, address, text)
    return found


def lane_values(text, entry):
    """The lanes of one hex word as integers, or the string X for a lane with an unknown bit."""
    bits, mask = entry["lane_bits"], (1 << entry["lane_bits"]) - 1
    unknown = int("".join("f" if c == "x" else "0" for c in text), 16)
    known = int(text.replace("x", "0"), 16)
    found = []
    for lane in range(entry["lanes"]):
        value = known >> (lane * bits) & mask
        negative = entry["signed"] and value >> (bits - 1)
        found.append("X" if unknown >> (lane * bits) & mask else value - (negative << bits))
    return found
