"""Suspected bugs of control and columns, each the law with one rule changed; what a wrong accumulator is replayed under.

`applies` spares the ones that cannot differ. To name one more bug: a class here, and its place in SUSPECTS.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from hwsim.fixed.formats import IntFormat, Overflow
from hwsim.fixed.logcode import zero_exponent
from hwsim.fixed.narrow import saturate, wrap
from hwsim.ops.weights import Linear, Log
from hwsim.vectors.explain.replay import Law, ReplayedBeat, Step


class Suspect(Law):
    """A law that says what is wrong with it."""

    def applies(self) -> bool:
        """Whether the changed rule can differ from the law in this layer."""
        return True

    def in_bank(self, bank: np.ndarray, at: int) -> np.ndarray:
        """Word `at` of a weight bank; past what was loaded it is zero, or unknown in a simulator that keeps X."""
        self.unwritten |= at >= len(bank)
        return bank[at] if at < len(bank) else np.zeros_like(bank[0])


class NoBias(Suspect):
    text = "the bias is not added"

    def start(self, pixel: int, cot: int) -> np.ndarray:
        return np.zeros_like(self.source.fields["bias"][cot])


class BiasOfFirstTile(Suspect):
    text = "every output tile takes the bias of tile 0"

    def start(self, pixel: int, cot: int) -> np.ndarray:
        return self.source.fields["bias"][0]


class NotRestarted(Suspect):
    text = "the accumulator is not restarted: it goes on from the pixel before"

    def start(self, pixel: int, cot: int) -> np.ndarray:
        tiles = self.source.entry["cot"]
        address = (pixel - 1) * tiles + cot if pixel else (self.source.pixels - 1) * tiles + cot - 1
        before = self.seen(address) if (pixel, cot) != (0, 0) else None
        return np.zeros_like(self.source.fields["bias"][cot]) if before is None else before


class OneBitShort(Suspect):
    text = "the accumulator is one bit short"

    def narrow(self, exact: np.ndarray, fmt: IntFormat) -> np.ndarray:
        return super().narrow(exact, IntFormat(fmt.bits - 1))


class WrapNotSaturate(Suspect):
    text = "the accumulator wraps instead of saturating"

    def applies(self) -> bool:
        return self.datapath.acc_mode is Overflow.SATURATE

    def narrow(self, exact: np.ndarray, fmt: IntFormat) -> np.ndarray:
        return wrap(exact, fmt)


class SaturateNotWrap(Suspect):
    text = "the accumulator saturates instead of wrapping"

    def applies(self) -> bool:
        return self.datapath.acc_mode is not Overflow.SATURATE

    def narrow(self, exact: np.ndarray, fmt: IntFormat) -> np.ndarray:
        return saturate(exact, fmt)


class SaturateAtEnd(Suspect):
    text = "the accumulator saturates once at the end, not after each beat"
    applies = WrapNotSaturate.applies

    def add(self, value: np.ndarray, tree: np.ndarray) -> np.ndarray:
        return value + tree

    def acc(self, pixel: int, cot: int) -> np.ndarray:
        return saturate(super().acc(pixel, cot), self.datapath.acc_format)


class SecondWordMissing(Suspect):
    text = "the second word of two-word tiles is missing"

    def applies(self) -> bool:
        return isinstance(self.weight_format, Log)

    def tree(self, beat: ReplayedBeat) -> np.ndarray:
        return super().tree(beat) * (beat.word == 0)


class FirstWordTwice(Suspect):
    text = "two-word tiles use their first word twice"
    applies = SecondWordMissing.applies

    def weight_word(self, pixel: int, cot: int, at: int) -> np.ndarray:
        words = [word for flag in self.source.flags[cot].reshape(-1) for word in range(1 + int(flag))]
        return super().weight_word(pixel, cot, at - words[at])


class LogZero(Suspect):
    text = "the log code 0 is read as a power of two"
    applies = SecondWordMissing.applies

    def weights(self, beat: ReplayedBeat) -> np.ndarray:
        return np.where(beat.weights == 0, 1 << zero_exponent(self.weight_format.bits), super().weights(beat))


class LogEnd(Suspect):
    text = "the lowest log code is read as zero"
    applies = SecondWordMissing.applies

    def weights(self, beat: ReplayedBeat) -> np.ndarray:
        return np.where(beat.weights == self.weight_format.word.min, 0, super().weights(beat))


class LogUnsigned(Suspect):
    text = "the sign of log codes is ignored"
    applies = SecondWordMissing.applies

    def weights(self, beat: ReplayedBeat) -> np.ndarray:
        return abs(super().weights(beat))


class InputLanesReversed(Suspect):
    text = "input lanes are reversed"

    def inputs(self, beat: ReplayedBeat) -> np.ndarray:
        return beat.codes[::-1]


class OutputLanesReversed(Suspect):
    text = "weight words are reversed in m (output lanes)"

    def weights(self, beat: ReplayedBeat) -> np.ndarray:
        return super().weights(beat)[::-1]


class WeightsTransposed(Suspect):
    text = "weight words are read as lane i*TM + m"

    def weights(self, beat: ReplayedBeat) -> np.ndarray:
        return super().weights(beat).reshape(self.source.tn, self.source.tm).T


class LastLaneMissing(Suspect):
    text = "the last input lane is missing in the tree"

    def inputs(self, beat: ReplayedBeat) -> np.ndarray:
        return np.where(np.arange(self.source.tn) == self.source.tn - 1, 0, beat.codes)


class InputsUnsigned(Suspect):
    text = "input codes are read without their sign"

    def inputs(self, beat: ReplayedBeat) -> np.ndarray:
        return beat.codes & ((1 << self.files.in_format.bits) - 1)


class WeightsUnsigned(Suspect):
    text = "weights are read without their sign"

    def applies(self) -> bool:
        return isinstance(self.weight_format, Linear)

    def weights(self, beat: ReplayedBeat) -> np.ndarray:
        return beat.weights & ((1 << self.weight_format.bits) - 1)


class PadOneRow(Suspect):
    text = "padding is off by one: the window lies one row too high"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pad = self.pad[0] + 1, self.pad[1]


class PadOneColumn(Suspect):
    text = "padding is off by one: the window lies one column too far left"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pad = self.pad[0], self.pad[1] + 1


class FirstRowPadding(Suspect):
    text = "padding is off by one: the first image row counts as padding"

    def inside(self, y: int, x: int) -> bool:
        return super().inside(y, x) and y > 0


class LastRowPadding(Suspect):
    text = "padding is off by one: the last image row counts as padding"

    def inside(self, y: int, x: int) -> bool:
        return super().inside(y, x) and y < self.source.entry["in"]["h"] - 1


class LastColumnPadding(Suspect):
    text = "padding is off by one: the last image column counts as padding"

    def inside(self, y: int, x: int) -> bool:
        return super().inside(y, x) and x < self.source.entry["in"]["w"] - 1


class ColumnPastEnd(Suspect):
    text = "padding is off by one: the column after the last is read as image"

    def inside(self, y: int, x: int) -> bool:
        size = self.source.entry["in"]
        return 0 <= y < size["h"] and 0 <= x <= size["w"]


class NoPadding(Suspect):
    text = "positions outside the image are not zero"

    def inside(self, y: int, x: int) -> bool:
        return True


class PointerNotRewound(Suspect):
    text = "the weight pointer is not rewound after a pixel"

    def weight_word(self, pixel: int, cot: int, at: int) -> np.ndarray:
        bank = np.concatenate(self.source.tiles[cot % 2::2])
        start = sum(len(tile) for tile in self.source.tiles[cot % 2:cot:2])
        return self.in_bank(bank, start + pixel * len(self.source.tiles[cot]) + at)


class FirstTileWeights(Suspect):
    text = "every output tile uses the weights of tile 0"

    def weight_word(self, pixel: int, cot: int, at: int) -> np.ndarray:
        return self.source.tiles[0][at % len(self.source.tiles[0])]


class OtherBank(Suspect):
    text = "weights come from the other bank"

    def weight_word(self, pixel: int, cot: int, at: int) -> np.ndarray:
        tiles = self.source.tiles[(cot + 1) % 2::2]
        bank = np.concatenate(tiles) if tiles else self.source.tiles[cot][:1] * 0
        return self.in_bank(bank, sum(len(tile) for tile in self.source.tiles[cot % 2:cot:2]) + at)


class LastBeatMissing(Suspect):
    text = "the last beat of each pixel is missing"

    def steps(self, pixel: int, cot: int) -> list[Step]:
        steps = super().steps(pixel, cot)
        return steps[:-1] if len(steps) > 2 else steps


class DilationIgnored(Suspect):
    text = "dilation is ignored"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.dilation = [1, 1]


class StrideIgnored(Suspect):
    text = "stride is ignored"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.stride = [1, 1]


class StrideSwapped(Suspect):
    text = "the strides of rows and columns are exchanged"

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.stride = self.stride[::-1]


SUSPECTS = (NoBias, BiasOfFirstTile, NotRestarted, OneBitShort, WrapNotSaturate, SaturateNotWrap, SaturateAtEnd,
            SecondWordMissing, FirstWordTwice, LogZero, LogEnd, LogUnsigned, InputLanesReversed, OutputLanesReversed,
            WeightsTransposed, LastLaneMissing, InputsUnsigned, WeightsUnsigned, PadOneRow, PadOneColumn, FirstRowPadding,
            LastRowPadding, LastColumnPadding, ColumnPastEnd, NoPadding, PointerNotRewound, FirstTileWeights, OtherBank,
            LastBeatMissing, DilationIgnored, StrideIgnored, StrideSwapped)
