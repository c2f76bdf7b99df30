"""What is proved about a vector operator before its first value: the word its sums fit, and its rounding in that word.

Every rounding but gemmlowp is (p + half + (p >> look & mask)) >> shift:

rounding   half          look        mask   what (p >> look & mask) is
floor      0             0           0      0
half-up    2^(shift-1)   0           0      0
half-away  2^(shift-1)   bits - 1    -1     -1 for negative p, else 0: halves of negative numbers go down
half-even  2^(shift-1)-1 shift       1      1 where the floor is odd: halves go down from even floors, up from odd ones

(shift 0 rounds nothing: half, mask and look's effect are then 0.) The same roundings stand in fixed/rounding.py, in
engine/fast/portable/requantize.py for scalars and arrays, and in engine/kernels/epilogue.py as IR.
"""
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hwsim.fixed.formats import Rounding

Terms = Sequence[tuple[int, int]]  # of a sum: (largest |x|, factor m)


def word_of(largest: int, shift: Any, rounding: Rounding) -> type[np.signedinteger[Any]] | None:
    """int32 or int64, whichever is first to hold every number of magnitude `largest` with its rounding constant, or None."""
    if rounding is Rounding.GEMMLOWP:
        return None
    # p + half is the largest number that a pass ever holds; half-away's -1 and half-even's +1 stay below it, as half has room
    need = int(largest) + half_of(int(shift))
    return next((word for word in (np.int32, np.int64) if need <= np.iinfo(word).max), None)


def half_of(shift: Any) -> Any:
    """The rounding constant 2^(shift-1), 0 where nothing is shifted out; a number or an array."""
    # (1 << shift) >> 1 and not 1 << (shift - 1): a shift of 0 gives 0 and never a negative count
    return (1 << shift) >> 1


def rounding_of(shift: Any, rounding: Rounding, word: type[np.signedinteger[Any]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(half, look, mask) int64 of the shape of `shift`."""
    shift = np.asarray(shift, np.int64)
    half, some, none = half_of(shift), np.minimum(shift, 1), np.zeros_like(shift)  # some: 1 where anything is shifted out
    return {Rounding.FLOOR: (none, none, none), Rounding.HALF_UP: (half, none, none),
            Rounding.HALF_AWAY: (half, none + np.iinfo(word).bits - 1, -some),
            Rounding.HALF_EVEN: (half - some, shift, some)}[rounding]


def rule(shift: Any, rounding: Rounding, word: type[np.signedinteger[Any]], lo: int, hi: int) -> np.ndarray:
    """What a pass needs besides its factors: half, look, mask, shift, lo, hi."""
    return np.array([*rounding_of(shift, rounding, word), shift, lo, hi], word)


def unchanged(word: type[np.signedinteger[Any]]) -> np.ndarray:
    """The rule that rounds and clamps nothing."""
    return rule(0, Rounding.FLOOR, word, np.iinfo(word).min, np.iinfo(word).max)


def factors(word: type[np.signedinteger[Any]], *values: int) -> np.ndarray:
    """The values as an array of the word: its type decides in which word a compiled pass computes."""
    return np.array(values, word)


def scaling(m: int, shift: Any, rounding: Rounding, word: type[np.signedinteger[Any]]) -> np.ndarray:
    """Factor and rounding of one input: m, half, look, mask, shift."""
    return np.array([m, *rounding_of(shift, rounding, word), shift], word)


def cut_of(sums: Sequence[Terms], shift: int, rounding: Rounding) -> tuple[type[np.signedinteger[Any]], int] | None:
    """(word, cut) in which every sum, a list of (largest |x|, factor m), is exact in two parts: the sum of x * (m >> cut), which
    counts 2^cut, and the sum of x * (m & 2^cut - 1), which is shifted before it is added. None: no word holds them.

    So products of 11-bit codes and 16-bit factors, and sums of 16-bit codes, stay in 32 bits.
    """
    if rounding is Rounding.GEMMLOWP:
        return None
    # More low bits make the top smaller and the bottom larger; the first cut that fits both is as good as any other. It is at
    # most `shift`, because the top is shifted by what is left of it, and at most the bits of the widest factor.
    cuts = range(min(shift, max(abs(m) for terms in sums for _, m in terms).bit_length()) + 1)
    # 32 bits with any cut before 64 bits without one: half the lanes cost more than a second product
    tries = ((word, cut) for word in (np.int32, np.int64) for cut in cuts)
    return next((choice for choice in tries if all(_fits(terms, shift, *choice) for terms in sums)), None)


def _fits(terms: Terms, shift: int, word: type[np.signedinteger[Any]], cut: int) -> bool:
    """Whether both parts of a sum, with their rounding constants and the carry from low to high, stay in the word."""
    # (1 << cut) + 1: the low part of the rounding constant and the 1 that moves a tie; (low >> cut) + 2: the carry, rounded up
    low = sum(largest * (m & (1 << cut) - 1) for largest, m in terms) + (1 << cut) + 1
    top = sum(largest * abs(m >> cut) for largest, m in terms) + (half_of(shift) >> cut) + (low >> cut) + 2
    return max(top, low, *(largest for largest, _ in terms)) <= np.iinfo(word).max


def cut_factors(factors: Iterable[int], shift: int, rounding: Rounding, word: type[np.signedinteger[Any]],
                cut: int) -> np.ndarray:
    """What arithmetic.add_cut takes: the cut, the rounding constant in two parts, each factor in two parts."""
    half, mask = int(rounding_of(shift, rounding, word)[0]), (1 << cut) - 1
    return np.array([cut, half >> cut, half & mask, *(part for m in factors for part in (m >> cut, m & mask))], word)


def cut_rule(shift: int, rounding: Rounding, word: type[np.signedinteger[Any]], cut: int, lo: int, hi: int) -> np.ndarray:
    """The rule of a sum in two parts, which are added at 2^cut: what rounding looks at lies `cut` bits lower."""
    _, look, mask = rounding_of(shift, rounding, word)
    return np.array([0, look - cut if rounding is Rounding.HALF_EVEN else look, mask, shift - cut, lo, hi], word)
