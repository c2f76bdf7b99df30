"""What a mode does to accumulators and counters at the end of a beat, as LLVM IR."""
from __future__ import annotations

from typing import Any

from hwsim.engine.kernels.epilogue import owned_mask
from hwsim.engine.kernels.ir import i32, smax, smin, splat, umax, vector
from hwsim.engine.kernels.target import COLUMN, Rung
from hwsim.engine.kernels.variant import COUNTS, Counter, Mode, Tile, Variant

State = tuple[list[Any], list[Any]]  # accumulators and counters, as vectors of the IR


class BeatEnd:
    """A mode's rule at the end of a beat: (accumulators before, after or the beat's own sums, counters) -> (acc, counters)."""

    def __init__(self, b: Any, tile: Tile, v: Variant, rung: Rung) -> None:
        self.b, self.v, self.vecs = b, v, v.nr * COLUMN // v.lanes
        if v.mode & (COUNTS | Mode.SATURATE):
            self.lo, self.hi = (splat(b, b.trunc(value, i32), v.lanes) for value in (tile.acc_lo, tile.acc_hi))
        if v.mode & Mode.SATURATE:
            # hi - lo is 2^acc_bits - 1, so its complement has exactly the bits above acc_bits: a sum counted from lo with one of
            # them set lies outside
            self.above = b.not_(b.sub(self.hi, self.lo))
        if v.mode & (Mode.WRAP | Mode.COUNT_WRAP):
            self.wrap = splat(b, b.trunc(tile.wrap, i32), v.lanes)
        if v.mode & COUNTS:
            self.owned = [owned_mask(b, tile, pixel, vector(i32, v.lanes)) for pixel in range(v.mr)]

    def __call__(self, start: Any, acc: list[Any], counters: list[Any]) -> State:
        mode = self.v.mode
        if mode & COUNTS:  # acc holds the beat's own sums: its tree is exact before the accumulator's rule applies
            acc = [self.b.add(before, tree) for before, tree in zip(start, acc)]
            self._count(acc, counters)
        if mode & Mode.OBSERVE:
            acc, counters = self.observed(start, acc, counters)
        if mode & Mode.COUNT_SATURATE:
            acc = [self._limited(value) for value in acc]
        if mode & Mode.COUNT_WRAP:
            acc = [self.wrapped(value) for value in acc]
        return acc, counters

    def limited(self, start: Any, acc: list[Any], counters: list[Any]) -> State:
        """Every accumulator saturated."""
        return [self._limited(value) for value in acc], counters

    def collected(self, start: Any, acc: list[Any], seen: list[Any]) -> State:
        """The accumulators as they are, and all their bits in one vector."""
        (bits,) = seen
        # two by two: AVX-512 has an OR of three operands (vpternlogd). An odd last one is taken with the first, which adds no bit
        for value, neighbour in zip(acc[::2], [*acc[1::2], acc[0]]):
            bits = self.b.or_(bits, self.b.or_(value, neighbour))
        return acc, [bits]

    def wrapped(self, value: Any) -> Any:
        """`value` modulo 2^acc_bits: `wrap` is 32 - acc_bits."""
        # up to the top and back: the arithmetic shift brings the sign bit of the narrow word into all bits above it
        return self.b.ashr(self.b.shl(value, self.wrap), self.wrap)

    def _limited(self, value: Any) -> Any:
        return smin(self.b, smax(self.b, value, self.lo), self.hi)

    def observed(self, start: Any, acc: list[Any], counters: list[Any]) -> State:
        """Least and most per channel; counters begins with the two."""
        counters = list(counters)
        for index, value in enumerate(acc):
            least, most = (row * self.vecs + index % self.vecs for row in (Counter.LEAST, Counter.MOST))
            counters[least], counters[most] = smin(self.b, counters[least], value), smax(self.b, counters[most], value)
        return acc, counters

    def highest(self, start: Any, acc: list[Any], spans: list[Any]) -> State:
        """The largest of unsigned accumulators per channel."""
        spans = list(spans)
        for index, value in enumerate(acc):
            spans[index % self.vecs] = umax(self.b, spans[index % self.vecs], value)
        return acc, spans

    def _count(self, acc: list[Any], counters: list[Any]) -> None:
        for index, value in enumerate(acc):
            # the mask of lanes that a clamp would change is -1 there: ANDed with the mask of owned pixels, it is subtracted
            outside = self.b.sext(self.b.icmp_signed("!=", value, self._limited(value)), value.type)
            here = Counter.EVENTS * self.vecs + index % self.vecs
            counters[here] = self.b.sub(counters[here], self.b.and_(outside, self.owned[index // self.vecs]))
