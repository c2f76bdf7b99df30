"""What the conversion of every node reads: words, scales, options, and the search for its multipliers and clamps."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from hwsim.errors import QuantizeError
from hwsim.fixed import multiplier
from hwsim.fixed.formats import GEMMLOWP_SHIFT, IntFormat
from hwsim.fixed.narrow import clamp
from hwsim.ops.dims import Shape
from hwsim.quantization.config import Config
from hwsim.quantization.scale_policy import Scale

Searched = TypeVar("Searched")


@dataclass(frozen=True, eq=False)
class ConversionContext:
    """words: tensor -> IntFormat; scales: tensor (and `layer:pre`) -> Scale; shapes: tensor -> shape, sizes may be open."""

    words: Mapping[str, IntFormat]
    scales: Mapping[str, Scale]
    shapes: Mapping[str, Shape]
    config: Config

    def scale(self, name: str) -> float:
        """The float64 S of a tensor, as the formulas of spec/arithmetic.md use it."""
        return float(self.scales[name])

    def folded(self, layer: str, ratio: float | Fraction, alpha: float = 1.0) -> tuple[int, int, int]:
        """(m_pos, m_neg, shift) of the float64 or exact M = `ratio` and slope `alpha`."""
        m_pos, m_neg, shift = self._search(layer, multiplier.folded, Fraction(ratio), Fraction(alpha))
        self._check_shift(layer, shift)
        return m_pos, m_neg, shift

    def shared(self, layer: str, ratios: Iterable[float]) -> tuple[list[int], int]:
        """([m_i], shift) of several signed M that share a shift."""
        m, shift = self._search(layer, multiplier.shared_shift, [Fraction(ratio) for ratio in ratios])
        self._check_shift(layer, shift)
        return m, shift

    def _search(self, layer: str, find: Callable[..., Searched], *args: object) -> Searched:
        """find(*args, mult_bits); its errors begin with the layer."""
        try:
            return find(*args, self.config.mult_bits)
        except QuantizeError as error:
            raise QuantizeError(f"{layer}: {error}") from None

    def _check_shift(self, layer: str, shift: int) -> None:
        largest = (1 << self.config.shift_bits) - 1
        if shift > largest:
            raise QuantizeError(f"{layer}: shift_bits must be at least {shift.bit_length()} for a shift of {shift}, "
                                f"not {self.config.shift_bits}")
        if self.config.rounding == "gemmlowp" and shift < GEMMLOWP_SHIFT:
            raise QuantizeError(f"{layer}: gemmlowp rounding must have shifts of at least {GEMMLOWP_SHIFT}, not {shift}")

    def limits(self, name: str, clip: tuple[float | None, float | None] | None) -> dict[str, int]:
        """{lo, hi} of an output: the ends of its codes, or tighter, rint(end/S) of a clip (lo, hi) of real numbers."""
        (least, most), (lo, hi) = self.code_range(name), clip or (None, None)
        return {"lo": least if lo is None else self._code(name, lo), "hi": most if hi is None else self._code(name, hi)}

    def code_range(self, name: str) -> tuple[int, int]:
        """The least and the largest code that tensor `name` may hold."""
        return self.config.quantizer.code_range(self.words[name])

    def _code(self, name: str, value: float) -> int:
        least, most = self.code_range(name)
        return int(clamp(np.rint(np.clip(value / self.scale(name), least, most)), least, most))


def int_array(values: Iterable[int]) -> np.ndarray:
    """The integers as an int64 vector."""
    return np.array(values, np.int64)
