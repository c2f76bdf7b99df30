"""Requantization multipliers and shifts found by exact integer arithmetic (spec/arithmetic.md sections 3 and 6).

Every ratio here is a fractions.Fraction; a float enters as `Fraction(*x.as_integer_ratio())`.
"""
from collections.abc import Iterable, Sequence
from fractions import Fraction

from hwsim.errors import QuantizeError

MAX_SHIFT = 62


def rint(ratio: Fraction | int) -> int:
    """The integer nearest to a Fraction, ties to even."""
    return round(Fraction(ratio))


def largest_shift(ratios: Iterable[Fraction | int], mult_bits: int) -> int:
    """The largest s in 0..62 with every |rint(ratio * 2^s)| <= 2^mult_bits - 1.

    Errors: QuantizeError where a ratio is too large even at shift 0.
    """
    limit = (1 << mult_bits) - 1
    largest = max(abs(Fraction(r)) for r in ratios)
    if rint(largest) > limit:
        raise QuantizeError(f"requantization multiplier must be at most 2^{mult_bits} - 1 at shift 0, not {rint(largest)}")
    if largest == 0:
        return MAX_SHIFT
    shift = _guess(largest, mult_bits)
    while shift < MAX_SHIFT and rint(largest * (1 << (shift + 1))) <= limit:
        shift += 1
    while rint(largest * (1 << shift)) > limit:
        shift -= 1
    return shift


def _guess(ratio: Fraction, mult_bits: int) -> int:
    """A shift next to the answer, from the bit lengths, so that the search takes a step or two."""
    exponent = ratio.numerator.bit_length() - ratio.denominator.bit_length()
    return min(max(mult_bits - exponent - 1, 0), MAX_SHIFT)


def folded(ratio: Fraction | int, alpha: Fraction | int, mult_bits: int) -> tuple[int, int, int]:
    """(m_pos, m_neg, shift) of M = `ratio` with the PReLU slope `alpha` folded in."""
    ratio, alpha = Fraction(ratio), Fraction(alpha)
    shift = largest_shift([max(Fraction(1), abs(alpha)) * ratio], mult_bits)
    return rint(ratio * (1 << shift)), rint(alpha * ratio * (1 << shift)), shift


def shared_shift(ratios: Sequence[Fraction | int], mult_bits: int) -> tuple[list[int], int]:
    """([m_i], shift): one shift for several signed ratios, as add and average use."""
    shift = largest_shift(ratios, mult_bits)
    return [rint(Fraction(r) * (1 << shift)) for r in ratios], shift
