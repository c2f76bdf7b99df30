"""The counters of a stepped layer: each is a name, a unit and a sentence, declared together, and they balance."""
from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from hwsim.errors import HwsimError


def counter(unit: str, sentence: str) -> Any:
    """A field of Counters, 0 by default: what it counts in `unit`."""
    return field(default=0, metadata={"unit": unit, "sentence": sentence})


@dataclass(frozen=True)
class Counters:
    """The counters of one layer and image, or of several added up."""

    cycles: int = counter("cycle", "clock edges from start until done is high")
    beats: int = counter("beat", "cycles in which the array issued a beat")
    stall_cycles: int = counter("cycle", "cycles in which a tile waited for the last word of its SB bank")
    drain_cycles: int = counter("cycle", "cycles after the last beat, while the pipeline empties")
    second_words: int = counter("beat", "beats that carried the second word of a two-word tile")
    padding_beats: int = counter("beat", "beats whose inputs lay outside the image, zeros that still take their cycle")
    busy_slots: int = counter("slot", "multiplier cycles spent on a real input and a real output channel, both words counted")
    idle_slots: int = counter("slot", "multiplier cycles without useful work: stalls, drain, lanes past the last channel")
    nbin_reads: int = counter("word", "words read from NBin")
    sb_reads: int = counter("word", "words read from SB")
    sb_loads: int = counter("word", "words that the DMA wrote into the SB banks")
    dma_cycles: int = counter("cycle", "cycles in which the DMA moved weights")
    acc_writes: int = counter("word", "accumulator words written, TM lanes each")
    nbout_writes: int = counter("word", "words written to NBout")
    register_writes: int = counter("write", "all writes through the port, registers and memories")
    overflow_events: int = counter("event", "(beat, output channel) pairs whose exact sum left the accumulator")
    clamped_outputs: int = counter("output", "outputs that the final clamp changed")

    def check(self, pes: int) -> None:
        """Raises HwsimError unless every cycle and every slot of `pes` multipliers is accounted for."""
        for count, expected, text in ((self.busy_slots + self.idle_slots, pes * self.cycles, "busy + idle slots"),
                                 (self.beats + self.stall_cycles + self.drain_cycles, self.cycles, "beats + stalls + drain"),
                                 (self.sb_reads, self.beats, "SB reads"), (self.acc_writes, self.beats, "accumulator writes"),
                                 (self.nbin_reads + self.padding_beats, self.beats, "NBin reads + padding beats")):
            if count != expected:
                raise HwsimError(f"{text} must balance to {expected}, not {count}")

    def __add__(self, other: Counters) -> Counters:
        return Counters(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def rows(self) -> list[tuple[str, int, str, str]]:
        """(name, value, unit, sentence) of every counter."""
        return [(f.name, getattr(self, f.name), f.metadata["unit"], f.metadata["sentence"]) for f in fields(self)]
