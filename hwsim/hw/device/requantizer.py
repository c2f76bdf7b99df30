"""The requantizers, one per column: from the accumulator of a finished pixel to its code (spec/arithmetic.md section 3)."""
from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from hwsim.fixed.formats import ALPHA_SHIFT, Datapath, IntFormat
from hwsim.fixed.narrow import clamp, saturate
from hwsim.fixed.rounding import round_shift
from hwsim.hw.device.beat import Beat
from hwsim.hw.device.word import Register, Tag, WritePort

if TYPE_CHECKING:
    from hwsim.hw.device.pe_column import PeColumns


class Requantizer:
    """Folded: y = clamp(round(acc * (m_pos if acc >= 0 else m_neg), s), lo, hi).

    fields: name -> (COT, TM) words (mpos, mneg, shift, and unfolded alpha, m2, shift2). Register: `product` (TM).
    Ports: `result`, the (beat, word) that NBout stores at the end of this cycle; word is None without a beat.
    clamp_range: (lo, hi); out_format: of the codes. clamped: (COT, TM), how many outputs the clamp changed.
    """

    columns: PeColumns    # connected by the chip

    def __init__(self, port: WritePort, fields: Mapping[str, np.ndarray], clamp_range: tuple[int, int], out_format: IntFormat,
                 datapath: Datapath) -> None:
        self.port, self.clamp_range, self.datapath = port, clamp_range, datapath
        self.fields = {name: words.astype(object) for name, words in fields.items()}
        bits = datapath.acc_bits + datapath.mult_bits + 1
        self.product = Register("requantizer", "product", WideFormat(bits), (datapath.tm,))
        self.tag = Tag("requantizer.product")
        self.word = IntFormat(out_format.bits)
        self.clamped = np.zeros(self.fields["shift"].shape, np.int64)

    @property
    def result(self) -> tuple[Beat, np.ndarray] | tuple[None, None]:
        """(beat, TM codes) of the pixel that is finished in this cycle; (None, None) where none is."""
        beat = self.tag.value
        if beat is None:
            return None, None
        return beat, self._clamp(beat, self._round(self.product.value, self.fields["shift"][beat.cot]))

    def step(self) -> None:
        """One cycle: the product of each finished accumulator and its multiplier."""
        beat = self._finished()
        self.port.pass_on(self.tag, beat)
        if beat is not None:
            acc, cot = self.columns.acc.value, beat.cot
            m = np.where(acc >= 0, self.fields["mpos"][cot], self.fields["mneg"][cot])
            self.port.write(self.product, acc * m)

    def _finished(self) -> Beat | None:
        """The beat that completed a pixel in this cycle, or None."""
        beat = self.columns.tag.value
        return beat if beat is not None and beat.last else None

    def _round(self, products: np.ndarray, shifts: np.ndarray) -> np.ndarray:
        """round(p, s) per column, in Python integers, exact at every width; 0 (an idle column) stays 0 under every rule."""
        return np.array([round_shift(int(p), int(s), self.datapath.rounding) if p else 0 for p, s in zip(products, shifts)],
                        object)

    def _clamp(self, beat: Beat, values: np.ndarray) -> np.ndarray:
        codes = clamp(values, *self.clamp_range)
        self.clamped[beat.cot] += codes != values
        return codes.astype(np.int64)


class UnfoldedRequantizer(Requantizer):
    """Three steps, three cycles more: M1 and saturate, alpha on negative values and saturate, M2 and clamp."""

    def __init__(self, port: WritePort, fields: Mapping[str, np.ndarray], clamp_range: tuple[int, int], out_format: IntFormat,
                 datapath: Datapath) -> None:
        super().__init__(port, fields, clamp_range, out_format, datapath)
        self.convolved = Register("requantizer", "convolved", self.word, (datapath.tm,))
        self.activated = Register("requantizer", "activated", self.word, (datapath.tm,))
        self.rescaled = Register("requantizer", "rescaled", WideFormat(out_format.bits + datapath.mult_bits + 1), (datapath.tm,))
        self.tags = [Tag(f"requantizer.{name}") for name in ("convolved", "activated", "rescaled")]

    @property
    def result(self) -> tuple[Beat, np.ndarray] | tuple[None, None]:
        """(beat, TM codes) of the pixel that is finished in this cycle; (None, None) where none is."""
        beat = self.tags[2].value
        if beat is None:
            return None, None
        return beat, self._clamp(beat, self._round(self.rescaled.value, self.fields["shift2"][beat.cot]))

    def step(self) -> None:
        """One cycle of all four registers."""
        super().step()
        for tag, before in zip(self.tags, (self.tag, *self.tags)):
            self.port.pass_on(tag, before.value)
        self._convolve(self.tag.value)
        self._activate(self.tags[0].value)
        self._rescale(self.tags[1].value)

    def _convolve(self, beat: Beat | None) -> None:
        if beat is not None:
            value = self._round(self.product.value, self.fields["shift"][beat.cot])
            self.port.write(self.convolved, saturate(value, self.word).astype(np.int64))

    def _activate(self, beat: Beat | None) -> None:
        if beat is not None:
            value, alpha = self.convolved.value, self.fields["alpha"][beat.cot]
            shifts = np.full(len(value), ALPHA_SHIFT)
            scaled = saturate(self._round(value * alpha, shifts), self.word).astype(np.int64)
            self.port.write(self.activated, np.where(value < 0, scaled, value))

    def _rescale(self, beat: Beat | None) -> None:
        if beat is not None:
            self.port.write(self.rescaled, self.activated.value * self.fields["m2"][beat.cot])


class WideFormat(IntFormat):
    """A signed word of the requantizer's product: up to 48 + 32 bits, wider than any tensor's."""

    def __post_init__(self) -> None:
        pass
