"""Rounding, clamping and requantization (spec/arithmetic.md sections 3 and 4) as floor and remainder, with no rounding constant.

p / 2^s = q + r / 2^s with 0 <= r < 2^s, and every mode is q or q + 1. So p alone must fit the word, not p + 2^(s-1).
round_shift() is written for Python integers, int64 arrays and object arrays alike, and compiled for scalars below it:
one file, because the compile cache watches only the file of the cached function.
"""
from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from hwsim.engine.host.jit import compiled
from hwsim.fixed.formats import ALPHA_SHIFT, Rounding

HALF_UP, HALF_AWAY, HALF_EVEN, FLOOR, GEMMLOWP = range(5)
MODES = {Rounding.HALF_UP: HALF_UP, Rounding.HALF_AWAY: HALF_AWAY, Rounding.HALF_EVEN: HALF_EVEN,
         Rounding.FLOOR: FLOOR, Rounding.GEMMLOWP: GEMMLOWP}
HIGH_SHIFT = 31
WORD = 1 << 63


def fits(largest_value: int, largest_factor: int) -> bool:
    """Whether every product of such magnitudes is exact in int64."""
    return int(largest_value) * int(largest_factor) < WORD


def _nearest(p: Any, s: Any, odd: Any) -> Any:
    """The integer nearest to p / 2^s; a tie goes up where `odd` is 1 and down where it is 0."""
    q = p >> s
    return q + (2 * (p - (q << s)) > (1 << s) - odd)


_nearest_scalar = njit(inline="always")(_nearest)


def round_shift(p: Any, s: Any, mode: int) -> Any:
    """p / 2^s rounded by `mode`; p and s are int64 arrays, or p an object array for any size."""
    if mode == FLOOR:
        return p >> s
    if mode == HALF_UP:
        return _nearest(p, s, 1)
    if mode == HALF_EVEN:
        return _nearest(p, s, (p >> s) & 1)
    if mode == HALF_AWAY:
        return _nearest(p, s, p >= 0)
    high = np.clip(_nearest(p, HIGH_SHIFT, 1), -(1 << 31), (1 << 31) - 1)
    return _nearest(high, s - HIGH_SHIFT, high >= 0)


@njit(inline="always")
def _round_scalar(p: int, s: int, mode: int) -> Any:
    """round_shift() of one number, without a branch that depends on it."""
    if mode != GEMMLOWP:
        q = p >> s
        odd = 1 if mode == HALF_UP else q & 1 if mode == HALF_EVEN else np.int64(p >= 0)
        return q + ((mode != FLOOR) & (2 * (p - (q << s)) > (1 << s) - odd))
    high = min(max(_nearest_scalar(p, HIGH_SHIFT, 1), -(1 << 31)), (1 << 31) - 1)
    return _nearest_scalar(high, s - HIGH_SHIFT, high >= 0)


def clamped(value: np.ndarray, lo: Any, hi: Any) -> tuple[np.ndarray, int]:
    """(int32 codes, how many the clamp changed) of an array of integers."""
    y = np.clip(value, lo, hi)
    return y.astype(np.int32), int(np.count_nonzero(y != value))


def raw(acc: np.ndarray, mode: int, lo: int, hi: int, y: np.ndarray) -> int:
    """As folded(), with nothing between the sums and the clamp."""
    y[:], changed = clamped(acc, lo, hi)
    return changed


def folded(acc: np.ndarray, m_pos: np.ndarray, m_neg: np.ndarray, shift: np.ndarray, mode: int, lo: int, hi: int,
           y: np.ndarray) -> int:
    """Fills y int32 (P,OC) from acc (P,OC) and fields (OC); returns how many the clamp changed."""
    y[:], changed = clamped(round_shift(acc * np.where(acc >= 0, m_pos, m_neg), shift, mode), lo, hi)
    return changed


def unfolded(acc: np.ndarray, stages: np.ndarray, word: tuple[int, int], mode: int, lo: int, hi: int, y: np.ndarray) -> int:
    """As folded(); stages int64 (5,OC): M1, its shift, alpha_q, M2, its shift; word: (lowest, highest) A-bit code."""
    m1, shift1, alpha, m2, shift2 = stages
    t = np.clip(round_shift(acc * m1, shift1, mode), *word).astype(np.int64)
    slope = np.clip(round_shift(t * alpha, ALPHA_SHIFT, mode), *word)
    y[:], changed = clamped(round_shift(np.where(t < 0, slope, t) * m2, shift2, mode), lo, hi)
    return changed


@compiled
def folded_compiled(acc: np.ndarray, m_pos: np.ndarray, m_neg: np.ndarray, shift: np.ndarray, mode: int, lo: int, hi: int,
                    y: np.ndarray) -> int:
    """folded() in one compiled loop over int64 sums."""
    changed = 0
    for p in range(acc.shape[0]):
        for oc in range(acc.shape[1]):
            a, positive, negative = acc[p, oc], m_pos[oc], m_neg[oc]
            value = _round_scalar(a * (positive if a >= 0 else negative), shift[oc], mode)
            code = min(max(value, lo), hi)
            changed += code != value
            y[p, oc] = code
    return changed


@compiled
def unfolded_compiled(acc: np.ndarray, stages: np.ndarray, word: tuple[int, int], mode: int, lo: int, hi: int,
                      y: np.ndarray) -> int:
    """unfolded() in one compiled loop over int64 sums."""
    changed = 0
    for p in range(acc.shape[0]):
        for oc in range(acc.shape[1]):
            t = min(max(_round_scalar(acc[p, oc] * stages[0, oc], stages[1, oc], mode), word[0]), word[1])
            if t < 0:
                t = min(max(_round_scalar(t * stages[2, oc], ALPHA_SHIFT, mode), word[0]), word[1])
            value = _round_scalar(t * stages[3, oc], stages[4, oc], mode)
            code = min(max(value, lo), hi)
            changed += code != value
            y[p, oc] = code
    return changed
