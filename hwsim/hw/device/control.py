"""Control: the loop counters of the array; they say in every cycle which beat issues (spec/device.md section 2).

    for cot: for oy: for ox: for ky: for kx: for cit: for word
"""
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.hw.device.word import Register


class Beat(NamedTuple):
    """The control bits that travel down the pipeline with one beat. x_address is -1 outside the image."""

    x_address: int
    w_address: int
    first: bool
    last: bool
    out_address: int
    cot: int
    oy: int
    ox: int
    ky: int
    kx: int
    cit: int
    word: int


@dataclass(frozen=True)
class LoopBounds:
    """The loop bounds of one layer, as the configuration registers give them to control.

    in_words: NBin words per input pixel; cit: how many of them a tile reads per tap, from first_word[cot] on (all of them,
    or for a depthwise layer those of the tile's own channels). flags[cot,ky,kx,cit] is 1 where a tile takes two words.
    """

    cot: int
    out_hw: tuple[int, int]
    kernel: tuple[int, int]
    cit: int
    in_words: int
    first_word: tuple[int, ...]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pad: tuple[int, int]
    in_hw: tuple[int, int]
    flags: np.ndarray

    def x_address(self, y, x, cot, cit):
        """The NBin address of a beat; -1 outside the image and past the last channel, where the array sees zeros."""
        word = self.first_word[cot] + cit
        inside = 0 <= y < self.in_hw[0] and 0 <= x < self.in_hw[1] and word < self.in_words
        return (y * self.in_hw[1] + x) * self.in_words + word if inside else -1


COUNTERS = ("cot", "oy", "ox", "ky", "kx", "cit", "word", "w_address")
COUNTER = IntFormat(32, signed=False)


class Control:
    """Ports: `beat` (wire, this cycle's Beat or None), `release` (wire, the bank of a tile is free), `done` (register)."""

    def __init__(self, port, loops, sb):
        self.port, self.loops, self.sb = port, loops, sb
        self.at = Register("control", "counters", COUNTER, (len(COUNTERS),), COUNTERS)
        self.running = Register("control", "running", IntFormat(1, False))
        self.done = Register("control", "done", IntFormat(1, False))
        self.running.value = np.array(1)
        self._settled, self._wire = -1, None
        self.nbout = None    # connected by the chip: the layer's last write raises done
        self.beats, self.stalls, self.second_words, self.starts, self.ends = 0, 0, 0, [], []

    @property
    def beat(self):
        """The beat that issues in this cycle, or None while the bank of its tile is loading; a wire, settled once a cycle."""
        if self._settled != self.port.cycle:
            self._settled, counters = self.port.cycle, self.at.value.tolist()
            issues = self.running.value and self.sb.ready(counters[0])
            self._wire = self._beat(*counters) if issues else None
        return self._wire

    @property
    def release(self):
        """True in the last issue cycle of a tile: its bank may be loaded from the next cycle on."""
        beat = self.beat
        return beat is not None and self._ends_tile(beat)

    def step(self):
        beat = self.beat
        if self._is_last(self.nbout.tag.value):
            self.port.write(self.done, np.array(1))
        if beat is None:
            self.stalls += int(self.running.value)
            return
        self._note(beat)
        following = self.advance(beat)
        if following is None:
            self.port.write(self.running, np.array(0))
        else:
            self.port.write(self.at, np.array(following))

    def advance(self, beat):
        """The counters after `beat`, in the order of COUNTERS, or None after the layer's last."""
        address = beat.w_address + 1
        if beat.word < self._flag(beat):
            return (beat.cot, beat.oy, beat.ox, beat.ky, beat.kx, beat.cit, 1, address)
        loops, counters = self.loops, [beat.cit, beat.kx, beat.ky, beat.ox, beat.oy, beat.cot]
        sizes = (loops.cit, loops.kernel[1], loops.kernel[0], loops.out_hw[1], loops.out_hw[0], loops.cot)
        for place, size in enumerate(sizes):
            counters[place] += 1
            if counters[place] < size:
                break
            counters[place] = 0
        else:
            return None
        cit, kx, ky, ox, oy, cot = counters
        return (cot, oy, ox, ky, kx, cit, 0, 0 if (ky, kx, cit) == (0, 0, 0) else address)

    def _beat(self, cot, oy, ox, ky, kx, cit, word, w_address):
        loops = self.loops
        y = oy * loops.stride[0] + ky * loops.dilation[0] - loops.pad[0]
        x = ox * loops.stride[1] + kx * loops.dilation[1] - loops.pad[1]
        last = (ky, kx, cit) == (loops.kernel[0] - 1, loops.kernel[1] - 1, loops.cit - 1) and \
            word == int(loops.flags[cot, ky, kx, cit])
        out_address = (oy * loops.out_hw[1] + ox) * loops.cot + cot
        return Beat(loops.x_address(y, x, cot, cit), w_address, w_address == 0, last, out_address, cot, oy, ox, ky, kx, cit, word)

    def _flag(self, beat):
        return int(self.loops.flags[beat.cot, beat.ky, beat.kx, beat.cit])

    def _ends_tile(self, beat):
        return beat.last and (beat.oy + 1, beat.ox + 1) == tuple(self.loops.out_hw)

    def _is_last(self, beat):
        return beat is not None and self._ends_tile(beat) and beat.cot + 1 == self.loops.cot

    def _note(self, beat):
        """Performance counters: beats, and the cycle in which each tile starts and ends."""
        self.beats += 1
        self.second_words += beat.word
        if beat.first and (beat.oy, beat.ox) == (0, 0):
            self.starts.append(self.port.cycle)
        if self._ends_tile(beat):
            self.ends.append(self.port.cycle + 1)
