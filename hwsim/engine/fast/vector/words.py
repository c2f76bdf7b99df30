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


def cut_of(sums, shift, rounding):
    """(word, cut) in which every sum, a list of (largest |x|, factor m), is exact in two parts: the sum of x * (m >> cut), which
    counts 2^cut, and the sum of x * (m & 2^cut - 1), which is shifted before it is added. None: no word holds them.

    So products of 11-bit codes and 16-bit factors, and sums of 16-bit codes, stay in 32 bits.
    """
    if rounding is Rounding.GEMMLOWP:
        return None
    cuts = range(min(shift, max(abs(m) for terms in sums for _, m in terms).bit_length()) + 1)
    tries = ((word, cut) for word in (np.int32, np.int64) for cut in cuts)
    return next((found for found in tries if all(_fits(terms, shift, *found) for terms in sums)), None)


def _fits(terms, shift, word, cut):
    low = sum(largest * (m & (1 << cut) - 1) for largest, m in terms) + (1 << cut) + 1
    top = sum(largest * abs(m >> cut) for largest, m in terms) + (half_of(shift) >> cut) + (low >> cut) + 2
    return max(top, low, *(largest for largest, _ in terms)) <= np.iinfo(word).max


def cut_factors(factors, shift, rounding, word, cut):
    """What arithmetic.add_cut takes: the cut, the rounding constant in two parts, each factor in two parts."""
    half, mask = int(rounding_of(shift, rounding, word)[0]), (1 << cut) - 1
    return np.array([cut, half >> cut, half & mask, *(part for m in factors for part in (m >> cut, m & mask))], word)


def cut_rule(shift, rounding, word, cut, lo, hi):
    """The rule of a sum in two parts, which are added at 2^cut: what rounding looks at lies `cut` bits lower."""
    _, look, mask = rounding_of(shift, rounding, word)
    return np.array([0, look - cut if rounding is Rounding.HALF_EVEN else look, mask, shift - cut, lo, hi], word)
