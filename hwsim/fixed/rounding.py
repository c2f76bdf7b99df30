"""Rounding right shifts on integers of any size or int64 arrays (spec/arithmetic.md section 4).

Precondition for arrays: |p| + 2^(s-1) < 2^63; Python integers have no limit.
"""
from hwsim.fixed.formats import Integers, IntFormat, Rounding
from hwsim.fixed.narrow import saturate


def round_shift(p: Integers, s: int, rounding: Rounding) -> Integers:
    """p / 2^s as an integer, rounded as `rounding` says; p itself for s = 0.

    For GEMMLOWP p is acc*m and s the total shift, which must be at least 31.
    """
    if rounding is Rounding.GEMMLOWP:
        return _gemmlowp(p, s)
    if s == 0:
        return p
    return _ROUND[rounding](p, s, 1 << (s - 1))


def _half_up(p: Integers, s: int, half: int) -> Integers:
    return (p + half) >> s


def _half_away(p: Integers, s: int, half: int) -> Integers:
    return (p + half - (p < 0)) >> s


def _half_even(p: Integers, s: int, half: int) -> Integers:
    rounded: Integers = (p + half - 1 + ((p >> s) & 1)) >> s
    return rounded


def _floor(p: Integers, s: int, half: int) -> Integers:
    return p >> s


_ROUND = {
    Rounding.HALF_UP: _half_up,
    Rounding.HALF_AWAY: _half_away,
    Rounding.HALF_EVEN: _half_even,
    Rounding.FLOOR: _floor,
}


def _gemmlowp(p: Integers, s: int) -> Integers:
    """Halves of the high multiply go up, halves of the power-of-two divide go away from zero."""
    high = (p + (1 << 30)) >> 31
    high = saturate(high, IntFormat(32))
    return round_shift(high, s - 31, Rounding.HALF_AWAY)
