"""The event trace of a stepped layer as text: `cycle A|O|D addr hex`, one line per event (spec/vectors.md rule 6.2)."""
from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hwsim.files import safe_name

if TYPE_CHECKING:
    from hwsim.hw.device.stepped import SteppedRun


def trace_text(run: SteppedRun) -> str:
    """The trace of a SteppedRun: cycle and address decimal, the TM lanes as one hex word, lane 0 lowest; `D 0 0` ends it."""
    bits = {"A": run.acc_format.bits, "O": run.out_format.bits}
    return "".join(f"{e.cycle} {e.kind} {e.address} {'0' if e.kind == 'D' else word_hex(e.word, bits[e.kind])}\n"
                   for e in run.trace)


def word_hex(lanes: Sequence[int], bits: int) -> str:
    """Lanes of `bits` each as one word: two's complement, lower case, exactly ceil(width/4) digits."""
    return f"{packed(lanes, bits):0{-(-bits * len(lanes) // 4)}x}"


def packed(lanes: Sequence[int], bits: int) -> int:
    """The word whose lane i stands at bit i*bits, as a non-negative integer."""
    mask, word = (1 << bits) - 1, 0
    for lane in reversed(lanes):
        word = word << bits | (int(lane) & mask)
    return word


def file_stem(index: int, layer: str) -> str:
    """L000_<name>: the folder or file name of array layer `index`, its suffix (.g0, .p00) included."""
    return f"L{index:03d}_{safe_name(layer)}"
