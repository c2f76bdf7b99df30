from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.errors import QuantizeError
from hwsim.fixed.multiplier import MAX_SHIFT, folded, largest_shift, rint, shared_shift

ratios = st.fractions(Fraction(1, 1 << 40), Fraction(1 << 10), max_denominator=1 << 50)


def by_definition(ratio, mult_bits):
    fitting = [s for s in range(MAX_SHIFT + 1) if round(ratio * (1 << s)) <= (1 << mult_bits) - 1]
    return max(fitting)


@given(ratios, st.integers(11, 31))
def test_largest_shift_is_the_largest(ratio, mult_bits):
    assert largest_shift([ratio], mult_bits) == by_definition(ratio, mult_bits)


@pytest.mark.parametrize("ratio, mult_bits, expected", [
    (Fraction(1), 16, (32768, 32768, 15)), (Fraction(65535), 16, (65535, 65535, 0)), (Fraction(1, 3), 16, (43691, 43691, 17)),
    (Fraction(131071, 131072), 16, (32768, 32768, 15)),  # 65535.5 rounds up to 2^16: one shift less
    (Fraction(1, 1 << 62), 4, (1, 1, 62)), (Fraction(1, 1 << 80), 16, (0, 0, 62))])
def test_literals(ratio, mult_bits, expected):
    assert folded(ratio, 1, mult_bits) == expected


def test_alpha_shares_the_shift():
    assert folded(Fraction(1, 2), Fraction(1, 4), 16) == (32768, 8192, 16)
    assert folded(Fraction(1, 2), Fraction(-1, 4), 16) == (32768, -8192, 16)
    assert folded(Fraction(1, 2), 0, 16) == (32768, 0, 16)
    m_pos, m_neg, shift = folded(Fraction(1, 2), 3, 16)  # a slope above one takes the room
    assert (m_pos, m_neg, shift) == (16384, 49152, 15)


def test_the_worked_example_of_the_law():
    """S_w = 2^-7, S_in = 2^-10, S_out = 2^-9: M = 2^-8."""
    assert folded(Fraction(1, 256), Fraction(1, 4), 16) == (32768, 8192, 23)


def test_too_large():
    with pytest.raises(QuantizeError, match=r"^requantization multiplier must be at most 2\^16 - 1 at shift 0, not 65536$"):
        folded(Fraction(65536), 1, 16)


@given(st.lists(st.fractions(-8, 8, max_denominator=1 << 30), min_size=1, max_size=5))
def test_shared_shift(values):
    multipliers, shift = shared_shift(values, 16)
    assert multipliers == [rint(v * (1 << shift)) for v in values] and max(map(abs, multipliers)) <= 65535
    assert shift == MAX_SHIFT or max(abs(rint(v * (1 << (shift + 1)))) for v in values) > 65535
