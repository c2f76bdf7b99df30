"""What is proved about a vector operator before its first value: the word its sums fit, and its rounding in that word.

Every rounding but gemmlowp is (p + half + (p >> look & mask)) >> shift: half-away takes 1 from negative numbers, half-even
rounds halves down and adds 1 where the floor is odd.
"""
import numpy as np

from hwsim.fixed.formats import Rounding


def word_of(largest, shift, rounding):
    """int32 or int64, whichever is first to hold every number of magnitude `largest` with its rounding constant, or None."""
    if rounding is Rounding.GEMMLOWP:
        return None
    need = int(largest) + half_of(int(shift))
    return next((word for word in (np.int32, np.int64) if need <= np.iinfo(word).max), None)


def half_of(shift):
    """The rounding constant 2^(shift-1), 0 where nothing is shifted out."""
    return (1 << shift) >> 1


def rounding_of(shift, rounding, word):
    """(half, look, mask) int64 of the shape of `shift`."""
    shift = np.asarray(shift, np.int64)
    half, some, none = half_of(shift), np.minimum(shift, 1), np.zeros_like(shift)
    return {Rounding.FLOOR: (none, none, none), Rounding.HALF_UP: (half, none, none),
            Rounding.HALF_AWAY: (half, none + np.iinfo(word).bits - 1, -some),
            Rounding.HALF_EVEN: (half - some, shift, some)}[rounding]


def rule(shift, rounding, word, lo, hi):
    """What a pass needs besides its factors: half, look, mask, shift, lo, hi."""
    return np.array([*rounding_of(shift, rounding, word), shift, lo, hi], word)


def unchanged(word):
    """The rule that rounds and clamps nothing."""
    return rule(0, Rounding.FLOOR, word, np.iinfo(word).min, np.iinfo(word).max)


def factors(word, *values):
    return np.array(values, word)


def scaling(m, shift, rounding, word):
    """Factor and rounding of one input: m, half, look, mask, shift."""
    return np.array([m, *rounding_of(shift, rounding, word), shift], word)


def cut_product(largest, m, shift, rounding):
    """(word, cut) in which x*z*m is exact as (x*z*(m >> cut) << cut) + x*z*(m & 2^cut - 1), |x*z| <= largest; None: no word.

    Cutting keeps products of 11-bit codes and 16-bit factors in 32 bits: the low part is shifted before it is added.
    """
    if rounding is Rounding.GEMMLOWP:
        return None
    for word in (np.int32, np.int64):
        for cut in range(min(shift, m.bit_length()) + 1):
            if max(cut_ends(largest, m, shift, cut)) <= np.iinfo(word).max:
                return word, cut
    return None


def cut_ends(largest, m, shift, cut):
    """What the upper and the lower part of a cut product can reach, rounding constants included."""
    low = largest * (m & (1 << cut) - 1) + (1 << cut) + 1
    return largest * (m >> cut) + (half_of(shift) >> cut) + (low >> cut) + 2, low, largest


def cut_factors(m, shift, rounding, word, cut):
    """The factors of arithmetic.multiply: high and low part of m, the cut, the rounding constant in two parts."""
    half = int(rounding_of(shift, rounding, word)[0])
    return np.array([m >> cut, m & (1 << cut) - 1, cut, half >> cut, half & (1 << cut) - 1, 1], word)


def cut_rule(shift, rounding, word, cut, lo, hi):
    """The rule of a cut product, whose parts are added at 2^cut."""
    _, look, mask = rounding_of(shift, rounding, word)
    return np.array([0, max(int(look) - cut, 0) if rounding is Rounding.HALF_EVEN else look, mask, shift - cut, lo, hi], word)
