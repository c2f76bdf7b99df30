"""Control: the loop counters of the array; they say in every cycle which beat issues (spec/device.md section 2).

    for cot: for oy: for ox: for ky: for kx: for cit: for word
"""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.hw.device.beat import Beat
from hwsim.hw.device.word import Register, WritePort
from hwsim.hw.layout import LoopBounds

if TYPE_CHECKING:
    from hwsim.hw.device.buffers import SB, NBout

COUNTERS = ("cot", "oy", "ox", "ky", "kx", "cit", "word", "w_address")
COUNTER = IntFormat(32, signed=False)


class Control:
    """Ports: `beat` (wire, this cycle's Beat or None), `release` (wire, the bank of a tile is free), `done` (register).

    Counters of the model: beats, stalls, second_words; starts, ends: per output tile, its first issue cycle and the cycle
    after its last issue.
    """

    nbout: NBout    # connected by the chip: the layer's last write raises done

    def __init__(self, port: WritePort, loops: LoopBounds, sb: SB) -> None:
        self.port, self.loops, self.sb = port, loops, sb
        self.at = Register("control", "counters", COUNTER, (len(COUNTERS),), lane_names=COUNTERS)
        self.running = Register("control", "running", IntFormat(1, False))
        self.done = Register("control", "done", IntFormat(1, False))
        self.running.value = np.array(1)
        self._settled = -1      # the cycle for which _wire is
        self._wire: Beat | None = None
        self.beats, self.stalls, self.second_words = 0, 0, 0
        self.starts: list[int] = []
        self.ends: list[int] = []

    @property
    def beat(self) -> Beat | None:
        """The beat that issues in this cycle, or None while the bank of its tile is loading; a wire, settled once a cycle."""
        if self._settled != self.port.cycle:
            self._settled, counters = self.port.cycle, self.at.value.tolist()
            issues = self.running.value and self.sb.ready(counters[0])
            self._wire = self._beat(*counters) if issues else None
        return self._wire

    @property
    def release(self) -> bool:
        """True in the last issue cycle of a tile: its bank may be loaded from the next cycle on."""
        beat = self.beat
        return beat is not None and self._ends_tile(beat)

    def step(self) -> None:
        """One cycle: issues the beat, if there is one, and sets the counters of the next."""
        beat = self.beat
        if self._is_last(self.nbout.tag.value):
            self.port.write(self.done, np.array(1))
        if beat is None:
            self.stalls += int(self.running.value)
            return
        self._count(beat)
        following = self.advance(beat)
        if following is None:
            self.port.write(self.running, np.array(0))
        else:
            self.port.write(self.at, np.array(following))

    def advance(self, beat: Beat) -> tuple[int, ...] | None:
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

    def _beat(self, cot: int, oy: int, ox: int, ky: int, kx: int, cit: int, word: int, w_address: int) -> Beat:
        loops = self.loops
        row = oy * loops.stride[0] + ky * loops.dilation[0] - loops.pad[0]
        column = ox * loops.stride[1] + kx * loops.dilation[1] - loops.pad[1]
        last = (ky, kx, cit) == (loops.kernel[0] - 1, loops.kernel[1] - 1, loops.cit - 1) and \
            word == int(loops.flags[cot, ky, kx, cit])
        out_address = (oy * loops.out_hw[1] + ox) * loops.cot + cot
        return Beat(x_address=loops.x_address(row, column, cot, cit), w_address=w_address, first=w_address == 0, last=last,
                    out_address=out_address, cot=cot, oy=oy, ox=ox, ky=ky, kx=kx, cit=cit, word=word)

    def _flag(self, beat: Beat) -> int:
        return int(self.loops.flags[beat.cot, beat.ky, beat.kx, beat.cit])

    def _ends_tile(self, beat: Beat) -> bool:
        return beat.last and (beat.oy + 1, beat.ox + 1) == tuple(self.loops.out_hw)

    def _is_last(self, beat: Beat | None) -> bool:
        return beat is not None and self._ends_tile(beat) and beat.cot + 1 == self.loops.cot

    def _count(self, beat: Beat) -> None:
        """Performance counters: beats, and the cycle in which each tile starts and ends."""
        self.beats += 1
        self.second_words += beat.word
        if beat.first and (beat.oy, beat.ox) == (0, 0):
            self.starts.append(self.port.cycle)
        if self._ends_tile(beat):
            self.ends.append(self.port.cycle + 1)
