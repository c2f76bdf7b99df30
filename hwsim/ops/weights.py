"""The weights of an array layer: their codes, and the format that says which integers the codes stand for.

A WeightFormat holds integer facts alone (spec/arithmetic.md section 5); rounding and sums are each engine's own. To add a
format, write its class and name it in FORMATS.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from hwsim.fixed import logcode
from hwsim.fixed.formats import IntFormat


@dataclass(frozen=True)
class WeightFormat:
    """A way to write an integer weight in a word of `bits` bits.

    name:       as in .hwq files, device files and manifests
    most_words: words that a weight may have; the weight is the sum of what they stand for
    legal_bits: (least, most) width that a quantizer and a device may choose
    flagged:    whether a tile of weights says by a flag how many words it takes
    """

    bits: int
    name: ClassVar[str]
    most_words: ClassVar[int]
    legal_bits: ClassVar[tuple[int, int]]
    flagged: ClassVar[bool]

    @property
    def word(self) -> IntFormat:
        """The codes that a stored word can hold."""
        return IntFormat(self.bits)

    @property
    def codes(self) -> IntFormat:
        """The codes that a quantizer emits."""
        return self.word

    @property
    def unit_code(self) -> int:
        """A code whose integer weight has magnitude 1."""
        raise NotImplementedError

    def integer(self, codes: np.ndarray) -> np.ndarray:
        """The integer weights (int64, same shape) that single words of `codes` stand for."""
        raise NotImplementedError

    def extremes(self, words: int = 1, narrow: bool = False) -> tuple[int, int]:
        """(least, most) integer weight that `words` words can sum to; narrow: the lowest code does not occur."""
        raise NotImplementedError

    def product_bits(self, activation: IntFormat) -> int:
        """Bits of a signed word that holds the product of any activation code and any single weight word."""
        raise NotImplementedError


@dataclass(frozen=True)
class Linear(WeightFormat):
    """A code is the weight itself; quantizers leave the lowest code out, so that the range is symmetric."""

    name = "linear"
    most_words = 1
    legal_bits = (2, 16)
    flagged = False

    @property
    def codes(self) -> IntFormat:
        return IntFormat(self.bits, narrow=True)

    @property
    def unit_code(self) -> int:
        return 1

    def integer(self, codes: np.ndarray) -> np.ndarray:
        return codes

    def extremes(self, words: int = 1, narrow: bool = False) -> tuple[int, int]:
        word = IntFormat(self.bits, narrow=narrow)
        return words * word.min, words * word.max

    def product_bits(self, activation: IntFormat) -> int:
        """Wide enough for the corner -2^(A-1) * -2^(W-1)."""
        return activation.bits + self.bits


@dataclass(frozen=True)
class Log(WeightFormat):
    """A code q is sign(q) * 2^(E-|q|), E = 2^(bits-1), and 0 for q = 0 (fixed/logcode.py); a tile takes one word or two."""

    name = "stlq"
    most_words = 2
    legal_bits = (2, 5)
    flagged = True

    @property
    def unit_code(self) -> int:
        return self.word.min

    def integer(self, codes: np.ndarray) -> np.ndarray:
        low = self.word.min
        table = np.array([logcode.integer_weight(code, self.bits) for code in range(low, -low)], np.int64)
        integers: np.ndarray = table[codes - low]
        return integers

    def extremes(self, words: int = 1, narrow: bool = False) -> tuple[int, int]:
        """The largest power of two, code 1 or -1, in every word."""
        most = words << (logcode.zero_exponent(self.bits) - 1)
        return -most, most

    def product_bits(self, activation: IntFormat) -> int:
        return activation.bits + logcode.zero_exponent(self.bits)


FORMATS: Mapping[str, type[WeightFormat]] = {kind.name: kind for kind in (Linear, Log)}


def weight_format(name: str, bits: int) -> WeightFormat:
    """The WeightFormat that files call `name` (a key of FORMATS), its words `bits` wide."""
    return FORMATS[name](bits)


@dataclass(frozen=True, eq=False)
class Weights:
    """codes int64 (WORDS,OC,KH,KW,IC), depthwise (WORDS,C,KH,KW,1), read-only; the second word is 0 where a tile has one.

    flags: bool (COT,CIT,KH,KW), depthwise (COT,1,KH,KW), which tiles take two words; None: all take as many as there are.
    """

    codes: np.ndarray
    format: WeightFormat
    flags: np.ndarray | None = None

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Weights:
        """From the parameters codes, w_format, w_bits and flags of an integer array node."""
        return cls(fields["codes"], weight_format(fields["w_format"], fields["w_bits"]), fields["flags"])

    def to_fields(self) -> dict[str, object]:
        """The parameters of an integer array node that from_fields reads."""
        return {"codes": self.codes, "w_format": self.format.name, "w_bits": self.format.bits, "flags": self.flags}

    @property
    def words(self) -> int:
        """WORDS, 1 or 2: words that a weight has at most."""
        return int(self.codes.shape[0])

    @property
    def oc(self) -> int:
        """Output channels."""
        return int(self.codes.shape[1])

    @property
    def kernel(self) -> tuple[int, int]:
        """(KH, KW)."""
        return self.codes.shape[2:4]

    @property
    def taps(self) -> int:
        """Weights per output channel: KH*KW*IC."""
        return int(self.codes[0, 0].size)

    @property
    def per_element(self) -> bool:
        """Whether second words are chosen weight by weight, not tile by tile: no array runs that."""
        return self.words > 1 and self.flags is None

    def second_words(self, tiles: int, taps: int) -> list[int]:
        """For each of `tiles` output tiles of `taps` kernel tiles, how many of these take a second word."""
        if self.flags is None:
            return [taps * (self.words - 1)] * tiles
        return [int(tile.sum()) for tile in self.flags]

    @property
    def integers(self) -> np.ndarray:
        """The integer weights of every word, of the shape of `codes`."""
        return self.format.integer(self.codes)

    @property
    def extremes(self) -> tuple[int, int]:
        """(least, most) integer weight of the format, without its lowest code where no weight has it."""
        return self.format.extremes(self.words, bool(self.codes.min(initial=0) > self.format.word.min))

    def of(self, outs: slice, tm: int) -> Weights:
        """The weights of output channels `outs`; a tile of tm of them takes two words when it meets one that does."""
        flags = None if self.flags is None else _regrouped(np.repeat(self.flags, tm, axis=0)[outs], tm)
        return Weights(self.codes[:, outs], self.format, flags)

    def at_taps(self, rows: tuple[int, ...], cols: tuple[int, ...]) -> Weights:
        """The weights at these kernel rows and columns, in this order."""
        flags = None if self.flags is None else self.flags[:, :, rows][:, :, :, cols]
        return Weights(self.codes[:, :, rows][:, :, :, cols], self.format, flags)

    def without_taps(self) -> Weights:
        """A 1x1 kernel of zeros."""
        flags = None if self.flags is None else np.zeros((*self.flags.shape[:2], 1, 1), bool)
        return Weights(np.zeros((*self.codes.shape[:2], 1, 1, self.codes.shape[4]), np.int64), self.format, flags)


def _regrouped(per_channel: np.ndarray, tm: int) -> np.ndarray:
    """Flags per channel as flags per tile of tm channels."""
    return np.logical_or.reduceat(per_channel, np.arange(0, len(per_channel), tm), axis=0)
