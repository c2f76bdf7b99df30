"""Suspected bugs of the requantizer, each the law with one rule changed; what a wrong output of right accumulators is
replayed under."""
from __future__ import annotations

import numpy as np

from hwsim.fixed.formats import Rounding
from hwsim.fixed.narrow import wrap
from hwsim.fixed.rounding import round_shift
from hwsim.ops.epilogue import Folded, ThreeStep
from hwsim.vectors.explain.suspects import Suspect


def _rounding(mode: Rounding) -> type[Suspect]:
    class Rounded(Suspect):
        text = f"rounding is {mode} instead of the set's"

        def applies(self) -> bool:
            return self.rounding is not mode

        def round(self, product: int, shift: int) -> int:
            return round_shift(product, shift, mode)
    Rounded.__name__ = f"Rounded_{mode.name}"
    return Rounded


class TowardZero(Suspect):
    text = "rounding is truncation toward zero instead of the set's"

    def round(self, product: int, shift: int) -> int:
        return abs(product) >> shift if product >= 0 else -(abs(product) >> shift)


class NoClamp(Suspect):
    text = "the clamp is missing: upper bits are cut"

    def limit(self, value: int) -> int:
        return value


class ClampFull(Suspect):
    text = "the clamp ignores lo and hi and saturates to the whole word"

    def limit(self, value: int) -> int:
        fmt = self.files.out_format
        return min(max(value, fmt.min), fmt.max)


class NoMiddleSaturation(Suspect):
    text = "the steps of the unfolded requantizer wrap instead of saturating"

    def applies(self) -> bool:
        return self.files.stage is ThreeStep

    def between(self, value: int) -> int:
        return wrap(value, self.word)


class SignAfterScaling(Suspect):
    text = "the sign is tested after scaling, not on the accumulator"

    def applies(self) -> bool:
        return self.files.stage is Folded

    def folded(self, acc: np.ndarray, cot: int) -> list[int]:
        f = self.fields(cot)
        codes = []
        for lane, a in enumerate(acc):
            up = self.scaled(int(a), f["mpos"][lane], f["shift"][lane])
            codes.append(self.limit(up if up >= 0 else self.scaled(int(a), f["mneg"][lane], f["shift"][lane])))
        return codes


class SignOfAccumulator(Suspect):
    text = "the sign is tested on the accumulator, not on the first step's result"
    applies = NoMiddleSaturation.applies

    def negative(self, y1: int, acc: int) -> bool:
        return acc < 0


class PositiveOnly(Suspect):
    text = "m_neg is not used: every accumulator takes m_pos"
    applies = SignAfterScaling.applies

    def choose(self, acc: int, pos: int, neg: int) -> int:
        return pos


class MultipliersExchanged(Suspect):
    text = "m_pos and m_neg are exchanged"
    applies = SignAfterScaling.applies

    def choose(self, acc: int, pos: int, neg: int) -> int:
        return neg if acc >= 0 else pos


class NegativeUnsigned(Suspect):
    text = "m_neg is read without its sign"
    applies = SignAfterScaling.applies

    def choose(self, acc: int, pos: int, neg: int) -> int:
        return pos if acc >= 0 else neg & ((2 << self.datapath.mult_bits) - 1)


class ShiftShort(Suspect):
    text = "the top bit of the shift is lost"

    def round(self, product: int, shift: int) -> int:
        return super().round(product, shift & ((1 << (self.datapath.shift_bits - 1)) - 1))


class ShiftOneMore(Suspect):
    text = "the shift is one too large"

    def round(self, product: int, shift: int) -> int:
        return super().round(product, shift + 1)


class ShiftOneLess(Suspect):
    text = "the shift is one too small"

    def round(self, product: int, shift: int) -> int:
        return super().round(product, max(shift - 1, 0))


class FirstTileFields(Suspect):
    text = "every output tile takes the multipliers and shifts of tile 0"

    def fields(self, cot: int) -> dict[str, list[int]]:
        return super().fields(0)


class NextTileFields(Suspect):
    text = "multipliers and shifts are those of the next output tile"

    def fields(self, cot: int) -> dict[str, list[int]]:
        return super().fields(min(cot + 1, self.source.entry["cot"] - 1))


class SlopeIgnored(Suspect):
    text = "the slope alpha is not applied to negative values"
    applies = NoMiddleSaturation.applies

    def negative(self, y1: int, acc: int) -> bool:
        return False


REQUANT_SUSPECTS = (_rounding(Rounding.FLOOR), _rounding(Rounding.HALF_UP), _rounding(Rounding.HALF_AWAY),
                    _rounding(Rounding.HALF_EVEN), TowardZero, NoClamp, ClampFull, NoMiddleSaturation, SignAfterScaling,
                    SignOfAccumulator, PositiveOnly, MultipliersExchanged, NegativeUnsigned, ShiftShort, ShiftOneMore,
                    ShiftOneLess, FirstTileFields, NextTileFields, SlopeIgnored)
