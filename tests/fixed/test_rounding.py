"""Every rounding against its definition on exact fractions: exhaustive when small, hypothesis when large."""
from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hwsim.fixed.formats import Rounding
from hwsim.fixed.rounding import round_shift

HALF = Fraction(1, 2)


def half_up(x):
    return floor(x + HALF)


def half_away(x):
    return floor(x + HALF) if x >= 0 else ceil(x - HALF)


DEFINITION = {Rounding.HALF_UP: half_up, Rounding.HALF_AWAY: half_away, Rounding.HALF_EVEN: round, Rounding.FLOOR: floor}
PLAIN = sorted(DEFINITION)


def gemmlowp(product, shift):
    """The two published steps, written with truncating division: high multiply, then divide by a power of two."""
    nudge = (1 << 30) if product >= 0 else 1 - (1 << 30)
    quotient = abs(product + nudge) >> 31
    high = quotient if product + nudge >= 0 else -quotient
    high = max(min(high, (1 << 31) - 1), -(1 << 31))
    return half_away(Fraction(high, 1 << (shift - 31)))


@pytest.mark.parametrize("rounding", PLAIN)
def test_exhaustive_small(rounding):
    values = np.arange(-1030, 1031)
    for shift in range(9):
        expected = [DEFINITION[rounding](Fraction(int(v), 1 << shift)) for v in values]
        assert [round_shift(int(v), shift, rounding) for v in values] == expected
        np.testing.assert_array_equal(round_shift(values, shift, rounding), expected)


@pytest.mark.parametrize("rounding, expected", [
    (Rounding.HALF_UP, [-2, -1, -1, 0, 0, 1, 1, 2, 2]), (Rounding.HALF_AWAY, [-2, -2, -1, -1, 0, 1, 1, 2, 2]),
    (Rounding.HALF_EVEN, [-2, -2, -1, 0, 0, 0, 1, 2, 2]), (Rounding.FLOOR, [-2, -2, -1, -1, 0, 0, 1, 1, 2])])
def test_ties(rounding, expected):
    assert [round_shift(p, 1, rounding) for p in range(-4, 5)] == expected


@pytest.mark.parametrize("rounding", PLAIN)
@given(product=st.integers(-(1 << 90), 1 << 90), shift=st.integers(0, 62))
def test_any_integer(rounding, product, shift):
    assert round_shift(product, shift, rounding) == DEFINITION[rounding](Fraction(product, 1 << shift))


@pytest.mark.parametrize("rounding", PLAIN)
@given(product=st.integers(-(1 << 61), 1 << 61), shift=st.integers(0, 61))
def test_arrays_equal_integers(rounding, product, shift):
    array = round_shift(np.array([product]), shift, rounding)
    assert array.dtype == np.int64 and int(array[0]) == round_shift(product, shift, rounding)


@given(acc=st.integers(-(1 << 31), (1 << 31) - 1), m=st.integers(-(1 << 31), (1 << 31) - 1), shift=st.integers(31, 62))
def test_gemmlowp(acc, m, shift):
    assert round_shift(acc * m, shift, Rounding.GEMMLOWP) == gemmlowp(acc * m, shift)


def test_gemmlowp_corners():
    corners = [0, 1, -1, 1 << 30, -(1 << 30), (1 << 30) - 1, 1 - (1 << 30), 3 << 30, -(3 << 30), 1 << 62, -(1 << 62)]
    for product in corners:
        for shift in (31, 32, 33, 45, 62):
            assert round_shift(product, shift, Rounding.GEMMLOWP) == gemmlowp(product, shift)


def test_gemmlowp_rounds_twice():
    """A case where double rounding differs from rounding once: the published pair of primitives."""
    product = -321946 * 1459357788
    assert round_shift(product, 37, Rounding.GEMMLOWP) == -3419
    assert round_shift(product, 37, Rounding.HALF_UP) == -3418
