"""64-bit accumulators and the requantizer on them, in plain compiled loops: for sums of several passes, for an unfolded
activation and for gemmlowp's rounding. kernels/proofs.py shows beforehand that 64 bits are enough.
"""
from hwsim.engine.kernels.microkernel import compiled
from hwsim.fixed.formats import Rounding

CODES = {rounding: code for code, rounding in enumerate(Rounding)}
HALF_UP, HALF_AWAY, HALF_EVEN, FLOOR, GEMMLOWP = range(5)
ALPHA_SHIFT = 14
INT32_MIN, INT32_MAX = -(1 << 31), (1 << 31) - 1


def _started(acc, bias):
    """acc[row, pixel, oc] = bias[oc]."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] = bias[oc]


def _added(acc, part, shift):
    """acc += part * 2^shift, channel by channel; part may have more channels."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] += part[row, pixel, oc] << shift


def _wrapped(acc, spare):
    """acc modulo 2^(64 - spare)."""
    for row in range(acc.shape[0]):
        for pixel in range(acc.shape[1]):
            for oc in range(acc.shape[2]):
                acc[row, pixel, oc] = (acc[row, pixel, oc] << spare) >> spare


start, add, wrap = compiled(_started), compiled(_added), compiled(_wrapped)


def _round_shift(p, s, rounding):
    if rounding == GEMMLOWP:
        high = min(max((p + (1 << 30)) >> 31, INT32_MIN), INT32_MAX)
        p, s, rounding = high, s - 31, HALF_AWAY
    if s == 0:
        return p
    half = 1 << (s - 1)
    if rounding == HALF_UP:
        return (p + half) >> s
    if rounding == HALF_AWAY:
        return (p + half - (p < 0)) >> s
    if rounding == HALF_EVEN:
        return (p + half - 1 + ((p >> s) & 1)) >> s
    return p >> s


round_shift = compiled(_round_shift)


def _folded(acc, y, m_pos, m_neg, shift, lo, hi, rounding):
    """Fills y; returns how many outputs the clamp changed."""
    clamped = 0
    for row in range(y.shape[0]):
        for pixel in range(y.shape[1]):
            for oc in range(y.shape[2]):
                value = acc[row, pixel, oc]
                m = m_neg[oc] if value < 0 else m_pos[oc]
                rounded = round_shift(value * m, shift[oc], rounding)
                limited = min(max(rounded, lo), hi)
                clamped += limited != rounded
                y[row, pixel, oc] = limited
    return clamped


def _unfolded(acc, y, m1, shift1, alpha, m2, shift2, word_lo, word_hi, lo, hi, rounding):
    """The same with three roundings: to the word, by alpha where negative, to the output's scale."""
    clamped = 0
    for row in range(y.shape[0]):
        for pixel in range(y.shape[1]):
            for oc in range(y.shape[2]):
                value = round_shift(acc[row, pixel, oc] * m1[oc], shift1[oc], rounding)
                value = min(max(value, word_lo), word_hi)
                if value < 0:
                    value = min(max(round_shift(value * alpha[oc], ALPHA_SHIFT, rounding), word_lo), word_hi)
                rounded = round_shift(value * m2[oc], shift2[oc], rounding)
                limited = min(max(rounded, lo), hi)
                clamped += limited != rounded
                y[row, pixel, oc] = limited
    return clamped


folded, unfolded = compiled(_folded), compiled(_unfolded)


def finish(acc, y, layer, word, rounding):
    """Fills y (ROWS,OW,OC) from 64-bit accumulators; returns how many outputs the clamp changed. word: the IntFormat of the
    first two roundings of an unfolded layer."""
    code = CODES[rounding]
    if layer.alpha_q is None:
        return folded(acc, y, layer.m_pos, layer.m_neg, layer.shift, layer.lo, layer.hi, code)
    return unfolded(acc, y, layer.m_pos, layer.shift, layer.alpha_q, layer.m2, layer.shift2, word.min, word.max,
                    layer.lo, layer.hi, code)
