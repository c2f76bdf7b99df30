"""Reading the events of a layer from a VCD, by signal name, sampled at every rising clock edge."""
from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from hwsim.errors import FileError
from hwsim.vectors.read.trace import Trace, checked_word
from hwsim.vectors.read.vectorset import LayerFiles

# the names in the shipped testbench; --signals key=name,... changes them
SIGNALS = {"clk": "tb.clk", "start": "tb.dut.start", "acc_valid": "tb.acc_valid", "acc_addr": "tb.acc_addr", "acc": "tb.acc",
           "out_valid": "tb.out_valid", "out_addr": "tb.out_addr", "out": "tb.out", "done": "tb.done"}
MAX_SCOPE = 100_000


def read_vcd(path: str | Path, layer: LayerFiles, signals: Mapping[str, str] | None = None) -> Trace:
    """The Trace of a VCD. `signals` replaces names in SIGNALS; c = 0 is the cycle after the edge at which start is high.

    Errors: FileError for a damaged file or a signal that it does not hold.
    """
    names = {**SIGNALS, **(signals or {})}
    unknown = sorted(set(names) - set(SIGNALS))
    if unknown:
        raise FileError(f"{path}: signals must be among {', '.join(SIGNALS)}, not {unknown[0]}")
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            codes = _declarations(stream, path)
            for key, name in names.items():
                if name not in codes:
                    raise FileError(f"{path}: the VCD must hold signal {name} ({key}), not lack it")
            return _sample(stream, {codes[name]: key for key, name in names.items()}, layer, path)
    except OSError as error:
        raise FileError(f"{path}: a VCD must be readable, not fail with {error.strerror}") from None


def _declarations(stream: Iterator[str], path: str | Path) -> dict[str, str]:
    """full name -> identifier code, read up to $enddefinitions."""
    scopes: list[str] = []
    codes: dict[str, str] = {}
    for line in stream:
        parts = line.split()
        if not parts:
            continue
        if parts[0] == "$scope" and len(parts) > 2:
            scopes.append(parts[2])
        elif parts[0] == "$upscope" and scopes:
            scopes.pop()
        elif parts[0] == "$var" and len(parts) > 4 and len(codes) < MAX_SCOPE:
            name = re.sub(r"\[.*", "", parts[4])
            full = ".".join([*scopes, name])
            codes[full] = parts[3]
            codes.setdefault(full.removeprefix("TOP."), parts[3])
        elif parts[0] == "$enddefinitions":
            return codes
    raise FileError(f"{path}: a VCD must have $enddefinitions, not end before it")


class _Sampler:
    """The values before each rising edge, turned into events."""

    def __init__(self, layer: LayerFiles, path: str | Path) -> None:
        self.layer, self.path, self.trace = layer, path, Trace()
        self.now = dict.fromkeys(SIGNALS, "x")
        self.cycle: int | None = None

    def edge(self) -> None:
        """A rising clock edge: what was there before it happened in the cycle before."""
        if self.cycle is not None:
            self._events()
            self.cycle += 1
        if self.now["start"] == "1" and self.cycle is None:
            self.cycle = 0

    def _events(self) -> None:
        if self.trace.done is not None:
            return
        for kind, stem in (("A", "acc"), ("O", "out")):
            if self.now[f"{stem}_valid"] == "1":
                self._event(kind, stem)
        if self.now["done"] == "1":
            self.trace.done = self.cycle

    def _event(self, kind: str, stem: str) -> None:
        address = self.now[f"{stem}_addr"]
        if set(address) - set("01"):
            raise FileError(f"{self.path}: {stem}_addr must be known when {stem}_valid is 1, not {address[:40]}")
        bits = self.layer.file(f"{stem}.hex")["word_bits"]
        text = self.now[stem].rjust(bits, "0" if self.now[stem][0] in "01" else self.now[stem][0])
        self.trace.add(self.cycle, kind, int(address, 2),
                       checked_word(self.layer, kind, int(address, 2), _hex(text), f"{self.path}: cycle {self.cycle}"))


def _hex(bits: str) -> str:
    """Binary digits as hex, a digit with an unknown bit as x."""
    bits = bits.rjust(-(-len(bits) // 4) * 4, "0")
    nibbles = (bits[i:i + 4] for i in range(0, len(bits), 4))
    return "".join("x" if set(nibble) - set("01") else f"{int(nibble, 2):x}" for nibble in nibbles)


def _sample(stream: Iterator[str], wanted: Mapping[str, str], layer: LayerFiles, path: str | Path) -> Trace:
    """The events of the rest of a VCD; wanted: identifier code -> key of SIGNALS.

    Applies the changes of each time step; a rising clock first samples what was there before it.
    """
    sampler = _Sampler(layer, path)
    changes: dict[str, str] = {}
    for line in stream:
        if line.startswith("#"):
            _apply(sampler, changes)
            changes = {}
            continue
        parts = line.split()
        if len(parts) == 2 and parts[0][0] in "bB":
            value, code = parts[0][1:].lower(), parts[1]
        elif len(parts) == 1 and parts[0][0] in "01xXzZ":
            value, code = parts[0][0].lower(), parts[0][1:]
        else:
            continue
        if code in wanted:
            changes[wanted[code]] = value
    _apply(sampler, changes)
    return sampler.trace


def _apply(sampler: _Sampler, changes: Mapping[str, str]) -> None:
    """The changes of one time step."""
    if changes.get("clk") == "1" and sampler.now["clk"] == "0":
        sampler.edge()
    sampler.now.update(changes)
