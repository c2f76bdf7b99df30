"""The three buffers: NBin (input words), SB (weight words, two banks behind a DMA) and NBout (output words)."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hwsim.fixed.formats import IntFormat
from hwsim.hw.device.beat import Beat
from hwsim.hw.device.word import Memory, Register, Tag, WritePort

if TYPE_CHECKING:
    from hwsim.hw.device.control import Control
    from hwsim.hw.device.requantizer import Requantizer

VALID = IntFormat(1, signed=False)


class NBin:
    """TN inputs per word at address (y*IW + x)*CIT + cit; read data shows one cycle after the beat issues.

    Ports: `q` (register, TN lanes), `tag` (the Beat that q belongs to, or None). words: the image (WORDS, TN), of `fmt`.
    Counters of the model: reads, pads (beats outside the image).
    """

    control: Control    # connected by the chip

    def __init__(self, port: WritePort, words: np.ndarray, fmt: IntFormat) -> None:
        self.port = port
        self.memory = Memory("nbin", "word", fmt, *words.shape)
        self.memory.fill(words)
        self.zero = np.zeros(words.shape[1], np.int64)
        self.q = Register("nbin", "q", fmt, (words.shape[1],))
        self.tag = Tag("nbin")
        self.reads, self.pads = 0, 0

    def step(self) -> None:
        """One cycle: reads the word of the beat that issues; zeros outside the image."""
        beat = self.control.beat
        self.port.pass_on(self.tag, beat)
        if beat is None:
            return
        inside = beat.x_address >= 0
        self.reads += inside
        self.pads += not inside
        self.port.write(self.q, self.memory.read(beat.x_address) if inside else self.zero)


class SB:
    """TM*TN weights per word, in two banks. A tile's words come by DMA, dma_bits per cycle, or lie there from the start.

    Ports: `q` (register, TM x TN lanes), `ready(tile)` (its last word has arrived). `tiles`: per output tile an array
    (W_t, TM*TN) in issue order, of `fmt`; lanes: (TM, TN); dma_bits 0: all of them lie there from the start.
    Counters of the model: reads, dma_cycles.
    """

    control: Control    # connected by the chip

    def __init__(self, port: WritePort, tiles: list[np.ndarray], fmt: IntFormat, lanes: tuple[int, int], dma_bits: int) -> None:
        self.port, self.tiles, self.lanes, self.dma_bits = port, tiles, lanes, dma_bits
        self.word_bits = fmt.bits * lanes[0] * lanes[1]
        depth = max(len(tile) for tile in tiles)
        self.banks = [Memory("sb", f"bank{i}", fmt, depth, lanes[0] * lanes[1]) for i in (0, 1)]
        self.q = Register("sb", "q", fmt, lanes)
        self.loaded = Register("sb", "loaded", IntFormat(32, False))     # tiles that arrived
        self.loading = Register("sb", "loading", VALID)                 # the DMA moves a word in this cycle
        self.loading.value = np.array(1)
        self.arrived = Register("sb", "arrived", IntFormat(48, False))  # bits of the tile that is loading
        self.released = Register("sb", "released", IntFormat(32, False))  # tiles that issued their last beat
        self.reads, self.dma_cycles = 0, 0

    def ready(self, tile: int) -> bool:
        """Whether every word of output tile `tile` has arrived."""
        return not self.dma_bits or tile < int(self.loaded.value)

    def step(self) -> None:
        """One cycle: reads the word of the beat that issues, and moves the DMA."""
        beat = self.control.beat
        if beat is not None:
            self.reads += 1
            self.port.write(self.q, self._read(beat).reshape(self.lanes))
        if self.dma_bits:
            self._load()

    def _read(self, beat: Beat) -> np.ndarray:
        if not self.dma_bits:
            word: np.ndarray = self.tiles[beat.cot][beat.w_address]
            return word
        return self.banks[beat.cot % 2].read(beat.w_address)

    def _load(self) -> None:
        """One DMA cycle: the words that are complete now, then the next tile as soon as its bank is free."""
        if self.control.release:
            self.port.write(self.released, self.released.value + 1)
        tile, arriving = int(self.loaded.value), bool(self.loading.value)
        if arriving:
            self.dma_cycles += 1
            tile += self._receive(tile)
        if not arriving or tile != self.loaded.value:
            self.port.write(self.loading, np.array(int(tile < len(self.tiles) and self.bank_free(tile))))

    def bank_free(self, tile: int) -> bool:
        """True once tile - 2, which used the same bank, issues its last beat."""
        return tile - 2 < int(self.released.value) + self.control.release

    def _receive(self, tile: int) -> int:
        """Stores the words whose last bit arrives in this cycle; 1 when they complete the tile."""
        words, bank = self.tiles[tile], self.banks[tile % 2]
        before = int(self.arrived.value)
        after = before + self.dma_bits
        if before == 0:
            bank.forget()
        for address in range(before // self.word_bits, min(after // self.word_bits, len(words))):
            self.port.store(bank, address, words[address])
        complete = after >= len(words) * self.word_bits
        self.port.write(self.arrived, np.array(0 if complete else after))
        if complete:
            self.port.write(self.loaded, np.array(tile + 1))
        return int(complete)


class NBout:
    """TM outputs per word at address (oy*OW + ox)*COT + cot.

    Ports: `q` (the word written last), `tag` (the beat that finished it). words: how many, of `lanes` lanes of `fmt`.
    """

    requantizer: Requantizer    # connected by the chip

    def __init__(self, port: WritePort, words: int, lanes: int, fmt: IntFormat) -> None:
        self.port = port
        self.memory = Memory("nbout", "word", fmt, words, lanes)
        self.q = Register("nbout", "q", fmt, (lanes,))
        self.tag = Tag("nbout")
        self.writes = 0

    def step(self) -> None:
        """One cycle: stores the codes of a pixel, if the requantizer has finished one."""
        beat, word = self.requantizer.result
        self.port.pass_on(self.tag, beat)
        if beat is None or word is None:
            return
        self.writes += 1
        self.port.store(self.memory, beat.out_address, word)
        self.port.write(self.q, word)
