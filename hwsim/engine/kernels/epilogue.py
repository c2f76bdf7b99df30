"""The epilogue: from accumulators in registers to stored outputs, the requantizer of ARITHMETIC section 3 as LLVM IR.

    y = clamp(round(acc * (m_neg if acc < 0 else m_pos), s), lo, hi)

The full form works in 64 bits on even and odd lanes, shifts 1..62. The high forms read only the high word of the product:
with t = s - 1 >= 32, half-up is floor((p + 2^t) / 2^(t+1)) = (v + 1) >> 1 for v = floor(p / 2^t), and v is the high word
shifted by t - 32. The word forms do that last step and the clamp in 16 bits: where lo and hi are less than 2^14 away from
zero, a v that does not fit 16 bits is clamped to the same end as its nearest 16-bit number.
"""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hwsim.engine.kernels.ir import at, constant, i16, i32, i64, load, narrowed, shuffle, smax, smin, splat, store, vector
from hwsim.engine.kernels.target import COLUMN, Rung
from hwsim.engine.kernels.variant import OWNED_BYTES, WORDS, Counter, EpilogueKind, Tile, Variant

HALVED = (EpilogueKind.HIGH_HALF_UP, EpilogueKind.WORD_HALF_UP)
HIGH = (EpilogueKind.HIGH_HALF_UP, EpilogueKind.HIGH_FLOOR)


def emit(b: Any, variant: Variant, rung: Rung, tile: Tile, acc: list[Any], counters: list[Any]) -> list[Any]:
    """Stores the tile's outputs from acc[pixel * vecs + vector]; returns the counters vectors with its clamped counts added."""
    if variant.epilogue_kind == EpilogueKind.NONE:
        _store_all(b, variant, rung, tile, acc)
        return counters
    if variant.epilogue_kind in WORDS:
        return _in_words(b, variant, rung, tile, acc, list(counters))
    return (_high_words if variant.epilogue_kind in HIGH else _full)(b, variant, rung, tile, acc, list(counters))


def owned_mask(b: Any, tile: Tile, pixel: int, kind: Any) -> Any:
    """The mask of owned pixels: all ones where the left neighbour did not already do `pixel` of the tile, else zero."""
    return load(b, at(b, tile.owned, pixel * OWNED_BYTES), kind, 4)


# ---- where outputs go

def _address(b: Any, variant: Variant, rung: Rung, tile: Tile, index: int) -> Any:
    """Where output vector `index` = pixel * vecs + vector goes."""
    # pixel and part are Python integers: the offset within a pixel is a constant, which LLVM folds into the address
    pixel, part = divmod(index, variant.nr * COLUMN // rung.lanes)
    offset = b.add(b.mul(tile.out_pixel, i64(pixel)), i64(part * rung.lanes * variant.item))
    return b.add(tile.out, offset)


def _store_all(b: Any, variant: Variant, rung: Rung, tile: Tile, values: list[Any]) -> None:
    """Stores vectors of 32-bit lanes, in 16 bits where the variant has such outputs."""
    if variant.item == 2:
        _store_pairs(b, variant, rung, tile, [narrowed(b, *pair) for pair in _pairs(values)])
        return
    for index, value in enumerate(values):
        store(b, value, _address(b, variant, rung, tile, index), 4)


def _pairs(values: list[Any]) -> list[tuple[Any, Any]]:
    """Neighbouring vectors two by two; the last one of an odd number with itself."""
    return list(zip(values[::2], [*values[1::2], values[-1]]))


def _store_pairs(b: Any, variant: Variant, rung: Rung, tile: Tile, pairs: Sequence[Any]) -> None:
    """Stores vectors of 16-bit lanes, each of two neighbouring output vectors: in one piece where they are one pixel's."""
    count, whole = variant.mr * variant.nr * COLUMN // rung.lanes, variant.nr * COLUMN // rung.lanes % 2 == 0
    for index, pair in zip(range(0, count, 2), pairs):
        if whole:
            store(b, pair, _address(b, variant, rung, tile, index), 2)
            continue
        for half in range(min(2, count - index)):
            part = shuffle(b, pair, pair, range(half * rung.lanes, (half + 1) * rung.lanes))
            store(b, part, _address(b, variant, rung, tile, index + half), 2)


# ---- the numbers of a channel

class _Channels:
    """The requantizer's numbers for one vector of channels."""

    def __init__(self, b: Any, variant: Variant, rung: Rung, tile: Tile, part: int) -> None:
        # the table of a block: rows bias, m_pos, m_neg, shift of nr * 16 int32, so 64 bytes per column and row
        row, here = variant.nr * 64, b.add(tile.channels, i64(part * rung.lanes * 4))
        kind = vector(i32, rung.lanes)
        self.m_pos, self.m_neg, self.shift = (load(b, b.add(here, i64(n * row)), kind, 4) for n in (1, 2, 3))

    def multiplier(self, b: Any, acc: Any) -> Any:
        return b.select(b.icmp_signed("<", acc, constant(acc.type, 0)), self.m_neg, self.m_pos)


# A product of 32-bit numbers needs 64 bits, and each 64-bit lane of a vector holds an even and an odd 32-bit one. So even and odd
# lanes are multiplied apart: pmuldq reads just the low halves, and LLVM drops the extensions before it.

def _wide(acc: Any) -> Any:
    """The type of `acc` seen as half as many 64-bit lanes."""
    return vector(i64, acc.type.count // 2)


def _even(b: Any, value: Any) -> Any:
    """The even 32-bit lanes, sign-extended to 64."""
    thirty_two = constant(_wide(value), 32)
    return b.ashr(b.shl(b.bitcast(value, _wide(value)), thirty_two), thirty_two)


def _odd(b: Any, value: Any) -> Any:
    """The odd 32-bit lanes, sign-extended to 64."""
    return b.ashr(b.bitcast(value, _wide(value)), constant(_wide(value), 32))


def _merged(b: Any, even: Any, odd: Any, high: int) -> Any:
    """One vector of 32-bit lanes from the low (or high) words of the even and the odd lanes' 64-bit values."""
    lanes = even.type.count * 2
    narrow = vector(i32, lanes)
    # lane i comes from 64-bit lane i // 2 of `even` or `odd`, whose words are numbers i - i % 2 (low) and one more (high)
    index = [i - i % 2 + high + (lanes if i % 2 else 0) for i in range(lanes)]
    return shuffle(b, b.bitcast(even, narrow), b.bitcast(odd, narrow), index)


# ---- the full form

def _full(b: Any, variant: Variant, rung: Rung, tile: Tile, acc: list[Any], counters: list[Any]) -> list[Any]:
    vecs, outputs = variant.nr * COLUMN // rung.lanes, [None] * len(acc)
    lo, hi = (splat(b, value, rung.lanes // 2) for value in (tile.lo, tile.hi))
    for part in range(vecs):
        channels = _Channels(b, variant, rung, tile, part)
        for index in range(part, len(acc), vecs):
            outputs[index], clamped = _requantized(b, variant.epilogue_kind, acc[index], channels, lo, hi)
            _count(b, vecs, tile, counters, index, clamped)
    _store_all(b, variant, rung, tile, outputs)
    return counters


def _count(b: Any, vecs: int, tile: Tile, counters: list[Any], index: int, clamped: Any) -> None:
    """Adds a mask of clamped outputs to the counters, where there is one."""
    if counters:
        pixel, part = divmod(index, vecs)
        here = Counter.CLAMPED * vecs + part
        counters[here] = b.sub(counters[here], b.and_(clamped, owned_mask(b, tile, pixel, clamped.type)))


def _requantized(b: Any, epilogue_kind: int, acc: Any, channels: _Channels, lo: Any, hi: Any) -> tuple[Any, Any]:
    """(y, mask of the clamped) as 32-bit lanes."""
    multiplier = channels.multiplier(b, acc)
    halves = []
    for half, shift in ((_even, _low_word), (_odd, _high_word)):
        product = b.mul(half(b, acc), half(b, multiplier))
        rounded = _rounded(b, epilogue_kind, product, shift(b, channels.shift))
        y = smin(b, smax(b, rounded, lo), hi)
        # a clamped output is one that the clamp changed: compared before and after, not with lo and hi
        halves.append((y, b.sext(b.icmp_signed("!=", y, rounded), y.type)))
    (even, even_clamped), (odd, odd_clamped) = halves
    return _merged(b, even, odd, 0), _merged(b, even_clamped, odd_clamped, 0)


def _low_word(b: Any, shift: Any) -> Any:
    """The even lanes, zero-extended to 64."""
    return b.and_(b.bitcast(shift, _wide(shift)), constant(_wide(shift), 0xFFFFFFFF))


def _high_word(b: Any, shift: Any) -> Any:
    """The odd lanes, zero-extended to 64."""
    return b.lshr(b.bitcast(shift, _wide(shift)), constant(_wide(shift), 32))


def _rounded(b: Any, epilogue_kind: int, p: Any, s: Any) -> Any:
    """p / 2^s, rounded as ARITHMETIC section 4 says; s is 1..62 per lane."""
    unit = constant(p.type, 1)
    if epilogue_kind != EpilogueKind.FLOOR:
        half = b.shl(unit, b.sub(s, unit))
        p = b.add(b.add(p, half), _tie(b, epilogue_kind, p, s)) if epilogue_kind != EpilogueKind.HALF_UP else b.add(p, half)
    return b.ashr(p, s)


def _tie(b: Any, epilogue_kind: int, p: Any, s: Any) -> Any:
    """What moves a tie: -1 for negative p (half-away), -1 where the floor is even (half-even)."""
    if epilogue_kind == EpilogueKind.HALF_AWAY:
        # half up on the magnitude is half up minus 1 for negative numbers; p >> 63 is that -1
        return b.ashr(p, constant(p.type, 63))
    unit = constant(p.type, 1)  # half - 1 rounds halves down; the floor's lowest bit adds the 1 back where the floor is odd
    return b.sub(b.and_(b.ashr(p, s), unit), unit)


# ---- the high forms

def _shifted(b: Any, variant: Variant, rung: Rung, tile: Tile, acc: list[Any]) -> list[Any]:
    """v of every accumulator."""
    vecs = variant.nr * COLUMN // rung.lanes
    channels = [_Channels(b, variant, rung, tile, part) for part in range(vecs)]
    return [_high(b, value, channels[index % vecs]) for index, value in enumerate(acc)]


def _high(b: Any, acc: Any, channels: _Channels) -> Any:
    multiplier = channels.multiplier(b, acc)
    even, odd = (b.mul(half(b, acc), half(b, multiplier)) for half in (_even, _odd))
    # the high words alone, back in 32-bit lanes: one shuffle, then one shift by (t - 32), which plan.py has put into the table
    return b.ashr(_merged(b, even, odd, 1), channels.shift)


def _halved(b: Any, variant: Variant, v: Any) -> Any:
    """(v + 1) >> 1 without a carry, or v itself where no half bit was kept."""
    # v + 1 could overflow; v - (v >> 1) is the same number, as v = (v >> 1) + ((v + 1) >> 1)
    return b.sub(v, b.ashr(v, constant(v.type, 1))) if variant.epilogue_kind in HALVED else v


def _high_words(b: Any, variant: Variant, rung: Rung, tile: Tile, acc: list[Any], counters: list[Any]) -> list[Any]:
    vecs, outputs = variant.nr * COLUMN // rung.lanes, []
    lo, hi = (splat(b, b.trunc(value, i32), rung.lanes) for value in (tile.lo, tile.hi))
    for index, value in enumerate(_shifted(b, variant, rung, tile, acc)):
        rounded = _halved(b, variant, value)
        outputs.append(smin(b, smax(b, rounded, lo), hi))
        _count(b, vecs, tile, counters, index, b.sext(b.icmp_signed("!=", outputs[-1], rounded), rounded.type))
    _store_all(b, variant, rung, tile, outputs)
    return counters


def _in_words(b: Any, variant: Variant, rung: Rung, tile: Tile, acc: list[Any], counters: list[Any]) -> list[Any]:
    """Two vectors of accumulators at a time. Which channel was clamped is not kept, only how many."""
    lo, hi = (splat(b, b.trunc(value, i16), 2 * rung.lanes) for value in (tile.lo, tile.hi))
    rounded = [_halved(b, variant, narrowed(b, *pair)) for pair in _pairs(_shifted(b, variant, rung, tile, acc))]
    outputs = [smin(b, smax(b, value, lo), hi) for value in rounded]
    if counters:
        _count_words(b, variant, rung, tile, counters, rounded, outputs)
    _store_pairs(b, variant, rung, tile, outputs)
    return counters


def _count_words(b: Any, variant: Variant, rung: Rung, tile: Tile, counters: list[Any], rounded: list[Any],
                 outputs: list[Any]) -> None:
    """Adds the number of clamped outputs to the first vector of the counters's row, in any of its lanes."""
    vecs, total = variant.nr * COLUMN // rung.lanes, constant(outputs[0].type, 0)
    # a 16-bit lane counts at most one per vector of the tile, which cannot fill it
    for index, (before, after) in enumerate(zip(rounded, outputs)):
        mask = b.sext(b.icmp_signed("!=", before, after), before.type)
        total = b.sub(total, b.and_(mask, _owned_pair(b, variant, rung, tile, 2 * index)))
    pairs, here = b.bitcast(total, vector(i32, rung.lanes)), Counter.CLAMPED * vecs
    # counts of neighbouring 16-bit lanes are added in 32 bits; which lane a count stands in does not matter
    low, high = b.and_(pairs, constant(pairs.type, 0xFFFF)), b.lshr(pairs, constant(pairs.type, 16))
    counters[here] = b.add(counters[here], b.add(low, high))


def _owned_pair(b: Any, variant: Variant, rung: Rung, tile: Tile, index: int) -> Any:
    """The mask of owned pixels for two neighbouring output vectors in 16-bit lanes; a vector that is there twice counts once."""
    vecs, last = variant.nr * COLUMN // rung.lanes, variant.mr * variant.nr * COLUMN // rung.lanes - 1
    pixels = [index // vecs, (index + 1) // vecs]
    if pixels[0] == pixels[1]:
        return owned_mask(b, tile, pixels[0], vector(i16, 2 * rung.lanes))
    kind = vector(i16, rung.lanes)
    halves = (owned_mask(b, tile, pixels[0], kind),
              owned_mask(b, tile, pixels[1], kind) if index < last else constant(kind, 0))
    return shuffle(b, *halves, range(2 * rung.lanes))
