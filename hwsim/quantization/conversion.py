"""What the conversion of every node reads: words, scales, options, and the search for its multipliers and clamps."""
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.fixed import multiplier
from hwsim.fixed.formats import IntFormat
from hwsim.fixed.narrow import clamp
from hwsim.quantization.config import Config

GEMMLOWP_SHIFT = 31


@dataclass(frozen=True, eq=False)
class ConversionContext:
    """words: tensor -> IntFormat; scales: tensor (and `layer:pre`) -> Fraction; shapes: tensor -> shape, sizes may be open."""

    words: Mapping[str, IntFormat]
    scales: Mapping[str, Fraction]
    shapes: Mapping[str, tuple]
    config: Config

    def scale(self, name):
        """The float64 S of a tensor, as the formulas of the law use it."""
        return float(self.scales[name])

    def folded(self, layer, ratio, alpha=1.0):
        """(m_pos, m_neg, shift) of the float64 or exact M = `ratio` and slope `alpha`."""
        found = self._search(layer, multiplier.folded, Fraction(ratio), Fraction(alpha))
        self._check_shift(layer, found[2])
        return found

    def shared(self, layer, ratios):
        """([m_i], shift) of several signed M that share a shift."""
        found = self._search(layer, multiplier.shared_shift, [Fraction(ratio) for ratio in ratios])
        self._check_shift(layer, found[1])
        return found

    def _search(self, layer, find, *args):
        try:
            return find(*args, self.config.mult_bits)
        except QuantizeError as error:
            raise QuantizeError(f"{layer}: {error}") from None

    def _check_shift(self, layer, shift):
        largest = (1 << self.config.shift_bits) - 1
        if shift > largest:
            raise QuantizeError(f"{layer}: shift_bits must be at least {shift.bit_length()} for a shift of {shift}, "
                                f"not {self.config.shift_bits}")
        if self.config.rounding == "gemmlowp" and shift < GEMMLOWP_SHIFT:
            raise QuantizeError(f"{layer}: gemmlowp rounding must have shifts of at least {GEMMLOWP_SHIFT}, not {shift}")

    def limits(self, name, clip):
        """{lo, hi} of an output: the ends of its word, or tighter, rint(end/S) of a clip (lo, hi) of real numbers."""
        word, (lo, hi) = self.words[name], clip or (None, None)
        return {"lo": word.min if lo is None else self._code(name, lo), "hi": word.max if hi is None else self._code(name, hi)}

    def _code(self, name, value):
        word = self.words[name]
        return int(clamp(np.rint(np.clip(value / self.scale(name), word.min, word.max)), word.min, word.max))


def int_array(values):
    return np.array(values, np.int64)
