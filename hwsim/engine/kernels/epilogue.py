"""From accumulators in registers to stored outputs: the requantizer of ARITHMETIC section 3 as LLVM IR.

    y = clamp(round(acc * (m_neg if acc < 0 else m_pos), s), lo, hi)

The full form works in 64 bits on even and odd lanes, shifts 1..62. The short form reads only the high word of the product:
with t = s - 1 >= 32, half-up is floor((p + 2^t) / 2^(t+1)) = (v + 1) >> 1 for v = floor(p / 2^t), and v is the high word
shifted by t - 32.
"""
from hwsim.engine.kernels.ir import constant, i32, i64, load, shuffle, smax, smin, splat, store, vector
from hwsim.engine.kernels.variant import Finish, Tally

SHORT = (Finish.HIGH_HALF_UP, Finish.HIGH_FLOOR)


def emit(b, variant, rung, tile, acc, tally):
    """Stores the tile's outputs from acc[pixel * vecs + vector]; returns the tally vectors with its clamped counts added."""
    if variant.finish == Finish.NONE:
        _store_all(b, variant, rung, tile, acc)
        return tally
    return (_short if variant.finish in SHORT else _full)(b, variant, rung, tile, acc, list(tally))


def _address(b, variant, rung, tile, index):
    """Where output vector `index` = pixel * vecs + vector goes."""
    pixel, part = divmod(index, variant.nr * 16 // rung.lanes)
    offset = b.add(b.mul(tile.out_pixel, i64(pixel)), i64(part * rung.lanes * 4))
    return b.add(tile.out, offset)


def _store_all(b, variant, rung, tile, values):
    for index, value in enumerate(values):
        store(b, value, _address(b, variant, rung, tile, index), 4)


class _Channels:
    """The requantizer's numbers for one vector of channels."""

    def __init__(self, b, variant, rung, tile, part):
        row, here = variant.nr * 64, b.add(tile.channels, i64(part * rung.lanes * 4))
        kind = vector(i32, rung.lanes)
        self.m_pos, self.m_neg, self.shift = (load(b, b.add(here, i64(n * row)), kind, 4) for n in (1, 2, 3))

    def multiplier(self, b, acc):
        return b.select(b.icmp_signed("<", acc, constant(acc.type, 0)), self.m_neg, self.m_pos)


def _wide(acc):
    return vector(i64, acc.type.count // 2)


def _even(b, value):
    """The even 32-bit lanes, sign-extended to 64."""
    thirty_two = constant(_wide(value), 32)
    return b.ashr(b.shl(b.bitcast(value, _wide(value)), thirty_two), thirty_two)


def _odd(b, value):
    return b.ashr(b.bitcast(value, _wide(value)), constant(_wide(value), 32))


def _merged(b, even, odd, high):
    """One vector of 32-bit lanes from the low (or high) words of the even and the odd lanes' 64-bit values."""
    lanes = even.type.count * 2
    narrow = vector(i32, lanes)
    index = [i - i % 2 + high + (lanes if i % 2 else 0) for i in range(lanes)]
    return shuffle(b, b.bitcast(even, narrow), b.bitcast(odd, narrow), index)


# ---- the full form

def _full(b, variant, rung, tile, acc, tally):
    vecs = variant.nr * 16 // rung.lanes
    lo, hi = (splat(b, value, rung.lanes // 2) for value in (tile.lo, tile.hi))
    for part in range(vecs):
        channels = _Channels(b, variant, rung, tile, part)
        for pixel in range(variant.mr):
            index = pixel * vecs + part
            y, clamped = _requantized(b, variant.finish, acc[index], channels, lo, hi)
            store(b, y, _address(b, variant, rung, tile, index), 4)
            _count(b, variant, rung, tile, tally, index, clamped)
    return tally


def _count(b, variant, rung, tile, tally, index, clamped):
    """Adds a mask of clamped outputs to the tally, where there is one."""
    if tally:
        pixel, part = divmod(index, variant.nr * 16 // rung.lanes)
        here = Tally.CLAMPED * variant.nr * 16 // rung.lanes + part
        tally[here] = b.sub(tally[here], b.and_(clamped, fresh(b, rung, tile, pixel)))


def fresh(b, rung, tile, pixel):
    """All ones where `pixel` of the tile was not already done by its left neighbour, else zero: each is counted once."""
    return splat(b, b.sext(b.icmp_signed(">=", i64(pixel), tile.skip), i32), rung.lanes)


def _requantized(b, finish, acc, channels, lo, hi):
    """(y, mask of the clamped) as 32-bit lanes."""
    multiplier = channels.multiplier(b, acc)
    halves = []
    for half, shift in ((_even, _low_word), (_odd, _high_word)):
        product = b.mul(half(b, acc), half(b, multiplier))
        rounded = _rounded(b, finish, product, shift(b, channels.shift))
        y = smin(b, smax(b, rounded, lo), hi)
        halves.append((y, b.sext(b.icmp_signed("!=", y, rounded), y.type)))
    (even, even_clamped), (odd, odd_clamped) = halves
    return _merged(b, even, odd, 0), _merged(b, even_clamped, odd_clamped, 0)


def _low_word(b, shift):
    return b.and_(b.bitcast(shift, _wide(shift)), constant(_wide(shift), 0xFFFFFFFF))


def _high_word(b, shift):
    return b.lshr(b.bitcast(shift, _wide(shift)), constant(_wide(shift), 32))


def _rounded(b, finish, p, s):
    """p / 2^s, rounded as ARITHMETIC section 4 says; s is 1..62 per lane."""
    one = constant(p.type, 1)
    if finish != Finish.FLOOR:
        half = b.shl(one, b.sub(s, one))
        p = b.add(b.add(p, half), _tie(b, finish, p, s)) if finish != Finish.HALF_UP else b.add(p, half)
    return b.ashr(p, s)


def _tie(b, finish, p, s):
    """What moves a tie: -1 for negative p (half-away), -1 where the floor is even (half-even)."""
    if finish == Finish.HALF_AWAY:
        return b.ashr(p, constant(p.type, 63))
    one = constant(p.type, 1)
    return b.sub(b.and_(b.ashr(p, s), one), one)


# ---- the short form

def _short(b, variant, rung, tile, acc, tally):
    vecs = variant.nr * 16 // rung.lanes
    channels = [_Channels(b, variant, rung, tile, part) for part in range(vecs)]
    lo, hi = (splat(b, b.trunc(value, i32), rung.lanes) for value in (tile.lo, tile.hi))
    for index, value in enumerate(acc):
        rounded = _halved(b, variant, _high(b, value, channels[index % vecs]))
        y = smin(b, smax(b, rounded, lo), hi)
        store(b, y, _address(b, variant, rung, tile, index), 4)
        _count(b, variant, rung, tile, tally, index, b.sext(b.icmp_signed("!=", y, rounded), y.type))
    return tally


def _high(b, acc, channels):
    multiplier = channels.multiplier(b, acc)
    even, odd = (b.mul(half(b, acc), half(b, multiplier)) for half in (_even, _odd))
    return b.ashr(_merged(b, even, odd, 1), channels.shift)


def _halved(b, variant, v):
    """(v + 1) >> 1 without a carry, or v itself where no half bit was kept."""
    return b.sub(v, b.ashr(v, constant(v.type, 1))) if variant.finish == Finish.HIGH_HALF_UP else v
