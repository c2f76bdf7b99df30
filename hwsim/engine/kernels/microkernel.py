"""The generator of micro-kernels: LLVM IR for one register tile, and the loop over tiles that numba compiles around it.

A tile is MR pixels of an output row x NR columns of 16 output channels, in registers from bias to stored output:

    acc = bias
    for run in runs:               a run is a contiguous stretch of inputs, its offset from a table: all geometry is there
        for beat in run:           `lanes_per_pass` 32-bit lanes of inputs, each holding some of them
            acc += dot(x[pixel, beat], w[beat])
            the mode's rule: saturate, observe, count
    store requantized acc

A pass of the inner loop is a beat; where the order of exact sums is free, it is as long as suits the loop.
"""
from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hwsim.engine.host.jit import compiled
from hwsim.engine.kernels import beat_end, dot_block, epilogue, ir, tap_pairs, target, variant
from hwsim.engine.kernels.beat_end import BeatEnd, State
from hwsim.engine.kernels.ir import (
    any_set,
    at,
    constant,
    counted_loop,
    either,
    i1,
    i16,
    i32,
    i64,
    load,
    none_negative,
    splat,
    store,
    vector,
)
from hwsim.engine.kernels.target import COLUMN, Rung, rung_of_lanes
from hwsim.engine.kernels.variant import COUNTS, JOB, MONITORED, OWNED_BYTES, Counter, Form, Mode, Tile, Variant


def stamp() -> int:
    """A checksum of everything that the emitted code depends on: numba's cache watches this file only."""
    modules = beat_end, dot_block, epilogue, ir, tap_pairs, target, variant
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in modules)
    return zlib.crc32(sources + f"{numba.__version__} {llvmlite.__version__}".encode())


STAMP = stamp()
Rule = Callable[[list[Any], list[Any], list[Any]], State]  # (accumulators before the beat, after it, counters) at its end
LONGEST_PAUSE = 255  # tiles, 2^n - 1: a tile that runs twice costs as much as eight tiles on the careful path lose


def emit_tile(b: Any, tile: Tile, v: Variant) -> Any:
    """Emits the whole tile of variant `v` at the builder's place; returns the back-off counter for the next tile."""
    rung = rung_of_lanes(v.lanes)
    # acc[pixel * vecs + n] is vector n of the channels of one pixel: Python lists of IR values, which LLVM keeps in registers.
    # Every pixel starts at the bias, the first row of the channel table.
    vecs = v.nr * COLUMN // v.lanes
    start = _vectors(b, tile.channels, vecs, rung)
    acc = (tap_pairs.shared_out(b, v, start) if v.form == Form.TAPS else start) * v.mr
    counters = _vectors(b, tile.counters, len(Counter) * vecs, rung) if v.mode & MONITORED else []
    rule, backoff = BeatEnd(b, tile, v, rung), tile.backoff
    if v.mode & Mode.SATURATE:
        acc, backoff = _saturated(b, tile, v, rung, acc, rule)
    elif v.mode & Mode.WATCH:
        acc, counters, backoff = _monitored(b, tile, v, rung, acc, counters, rule)
    else:
        acc, counters = _all_runs(b, tile, v, rung, acc, counters, rule)
    if v.form == Form.TAPS:
        acc = tap_pairs.restored(b, v, acc)
    # Wrapping is a ring homomorphism: sums taken modulo 2^32 on the way and wrapped once at the end give the same bits as a wrap
    # after every beat, as acc_bits is at most 32 here.
    if v.mode & Mode.WRAP:
        acc = [rule.wrapped(value) for value in acc]
    for n, value in enumerate(epilogue.emit(b, v, rung, tile, acc, counters)):
        store(b, value, at(b, tile.counters, n * v.lanes * 4), 4)
    return backoff


def _all_runs(b: Any, tile: Tile, v: Variant, rung: Rung, acc: list[Any], counters: list[Any], rule: Rule) -> State:
    """(acc, counters) after every run."""
    state = counted_loop(b, tile.n_runs, [tile.weights, *acc, *counters],
                         lambda run, state: _one_run(b, tile, v, rung, run, state, rule))
    return state[1:1 + len(acc)], state[1 + len(acc):]


def _saturated(b: Any, tile: Tile, v: Variant, rung: Rung, acc: list[Any], rule: BeatEnd) -> tuple[list[Any], Any]:
    """(saturated accumulators, backoff). Optimistic: exact sums, right if none left the range; else the runs are done once more,
    with a clamp after every beat.

    The optimistic path counts from acc_lo instead of 0: a sum inside the range is then 0..2^acc_bits - 1, and one that leaves
    it has a bit above acc_bits set. One instruction collects the bits of two accumulators, where a clamp takes four.
    """
    def optimistic() -> list[Any]:
        moved = [b.sub(value, rule.lo) for value in acc]
        sums, (seen,) = _all_runs(b, tile, v, rung, moved, [constant(acc[0].type, 0)], rule.collected)
        fits = b.not_(any_set(b, b.and_(seen, rule.above)))
        return [fits, *(b.add(value, rule.lo) for value in sums)]

    return _optimistic_or_fallback(b, tile, acc, optimistic, lambda: _all_runs(b, tile, v, rung, acc, [], rule.limited)[0])


def _monitored(b: Any, tile: Tile, v: Variant, rung: Rung, acc: list[Any], counters: list[Any],
               rule: BeatEnd) -> tuple[list[Any], list[Any], Any]:
    """(accumulators, counters, backoff): minimum and maximum per channel, by one instruction per accumulator and beat.

    Optimistic: sums are counted from the channel's minimum so far. As long as none is below it, they are not negative and one
    unsigned maximum gives the new `most`. A sum below it is negative, which as an unsigned number is larger than all others, so
    that the maximum's sign bit says that the tile has a new minimum: its runs are done once more with both extremes.
    SPAN keeps the difference of two sums inside 31 bits, so that the sign bit means nothing else.
    """
    least, most = (counters[row * rule.vecs:(row + 1) * rule.vecs] for row in (Counter.LEAST, Counter.MOST))
    rest = counters[2 * rule.vecs:]

    def optimistic() -> list[Any]:
        moved = [b.sub(value, least[n % rule.vecs]) for n, value in enumerate(acc)]
        spans = [b.sub(high, low) for high, low in zip(most, least)]
        sums, spans = _all_runs(b, tile, v, rung, moved, spans, rule.highest)
        fits = none_negative(b, spans)
        return [fits, *(b.add(value, least[n % rule.vecs]) for n, value in enumerate(sums)),
                *least, *map(b.add, spans, least)]

    def fallback() -> list[Any]:
        values, seen = _all_runs(b, tile, v, rung, acc, [*least, *most], rule.observed)
        return [*values, *seen]

    values, backoff = _optimistic_or_fallback(b, tile, [*acc, *least, *most], optimistic, fallback)
    return values[:len(acc)], [*values[len(acc):], *rest], backoff


def _optimistic_or_fallback(b: Any, tile: Tile, start: list[Any], optimistic: Callable[[], list[Any]],
                            fallback: Callable[[], list[Any]]) -> tuple[list[Any], Any]:
    """(values, backoff): those of optimistic() -> [fits, *values] if they fit, else those of fallback().

    start: values of the right types, for the tiles that do not try the optimistic path.
    backoff: exponential back-off packed in an int64. Low 32 bits: tiles left before the optimistic path is tried again; high 32
    bits: the last pause, doubled after a failure, halved after a success (at most LONGEST_PAUSE). A layer that saturates
    everywhere therefore runs twice in one tile of 256 only.
    """
    wait, pause = b.and_(tile.backoff, i64(0xFFFFFFFF)), b.lshr(tile.backoff, i64(32))
    try_it = b.icmp_signed("==", wait, i64(0))
    fits, *values = either(b, try_it, optimistic, lambda: [i1(0), *start])
    results = either(b, fits, lambda: values, fallback)
    # 2 * pause + 1 masked by 2^n - 1: 0, 1, 3, ..., 255, without a branch
    longer = b.and_(b.or_(b.add(pause, pause), i64(1)), i64(LONGEST_PAUSE))
    tried = b.select(fits, b.shl(b.lshr(pause, i64(1)), i64(32)), b.or_(b.shl(longer, i64(32)), longer))
    return results, b.select(try_it, tried, b.sub(tile.backoff, i64(1)))


def _vectors(b: Any, address: Any, count: int, rung: Rung) -> list[Any]:
    return [load(b, at(b, address, n * rung.lanes * 4), vector(i32, rung.lanes), 4) for n in range(count)]


def _one_run(b: Any, tile: Tile, v: Variant, rung: Rung, run: Any, state: list[Any], rule: Rule) -> list[Any]:
    if v.form == Form.TAPS:
        return tap_pairs.emit(b, tile, v, rung, run, state)
    # all geometry (padding, dilation, stride of the window) is in the table of run offsets, made once per layer and worker
    base = b.add(tile.x, load(b, b.add(tile.runs, b.mul(run, i64(8))), i64, 8))
    inputs = [b.add(base, b.mul(tile.x_pixel, i64(m))) for m in range(v.mr)]
    if v.form == Form.CHANNEL:
        return _one_beat(b, v, rung, inputs, i64(0), state, rule)
    step = i64(4 * v.lanes_per_pass)
    return counted_loop(b, tile.n_passes, state,
                        lambda j, state: _one_beat(b, v, rung, inputs, b.mul(j, step), state, rule))


def _one_beat(b: Any, v: Variant, rung: Rung, inputs: list[Any], here: Any, state: list[Any], rule: Rule) -> list[Any]:
    vecs, size = v.nr * COLUMN // v.lanes, v.lanes * 4
    w, acc, counters = state[0], list(state[1:1 + v.mr * vecs]), list(state[1 + v.mr * vecs:])
    start = list(acc)
    if v.mode & COUNTS:  # the beat's sum alone: events are counted on (accumulator before) + (exact tree of the beat)
        acc = [constant(value.type, 0) for value in acc]
    places = [b.add(address, here) for address in inputs]
    for lane in range(v.lanes_per_pass):
        if dot_block.fits(rung, v.form, acc):
            acc = dot_block.emit(b, rung, v.form, acc, w, places, lane)
        else:
            acc = _one_lane(b, v, rung, acc, at(b, w, lane * vecs * size), [at(b, place, 4 * lane) for place in places])
    acc, counters = rule(start, acc, counters)
    return [at(b, w, v.lanes_per_pass * vecs * size), *acc, *counters]


def _one_lane(b: Any, v: Variant, rung: Rung, acc: list[Any], w: Any, inputs: list[Any]) -> list[Any]:
    """Every accumulator with the dot products of one 32-bit lane of inputs."""
    acc, vecs = list(acc), v.nr * COLUMN // v.lanes
    weights = _vectors(b, w, vecs, rung)
    for pixel, address in enumerate(inputs):
        x = _inputs(b, v, rung, address, vecs)
        for n in range(vecs):
            acc[pixel * vecs + n] = ir.madd(b, rung, acc[pixel * vecs + n], x[n], weights[n])
    return acc


def _inputs(b: Any, v: Variant, rung: Rung, address: Any, vecs: int) -> list[Any]:
    """The activation operand of every vector of one pixel."""
    if v.form != Form.CHANNEL:  # four bytes of inputs serve all channels: one load, one broadcast
        return [splat(b, load(b, address, i32, 1), v.lanes)] * vecs
    words = [load(b, at(b, address, n * v.lanes * 2), vector(i16, v.lanes), 1) for n in range(vecs)]
    # zero extension leaves the upper 16-bit input of each lane 0, so that pmaddwd's second product is 0 whatever its weight
    return [b.zext(word, vector(i32, v.lanes)) for word in words]


@intrinsic(prefer_literal=True)
def run_tile(typingctx: Any, lanes: Any, mr: Any, nr: Any, form: Any, lanes_per_pass: Any, mode: Any, epilogue_kind: Any,
             item: Any, stamp: Any, tile: Any) -> Any:
    """Runs one tile and returns its back-off counter; all arguments but `tile`, a Tile of int64, are compile-time integers.

    stamp is not read: as a literal type it is part of the key of numba's cache, which so notices a change of the generator.
    """
    variant_of_tile = Variant(*(kind.literal_value for kind in (lanes, mr, nr, form, lanes_per_pass, mode, epilogue_kind, item)))

    def codegen(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return emit_tile(builder, Tile(*cgutils.unpack_tuple(builder, values[9])), variant_of_tile)

    return types.int64(lanes, mr, nr, form, lanes_per_pass, mode, epilogue_kind, item, stamp, tile), codegen


@lru_cache(None)
def kernel(v: Variant) -> Callable[..., None]:
    """The compiled function of a Variant: `count` output rows from address `out` on, tile after tile, of a JOB's blocks.

    inputs: the address of the first input row.
    The weights of a block stay in the first cache while a row passes; the last tile of a row overlaps its neighbour. Numba's
    cache knows this closure by the integers that it holds, which are therefore all that it holds.
    """
    lanes, mr, nr, form, lanes_per_pass, mode, epilogue_kind, item = (int(value) for value in v)
    stamp, owned_bytes = STAMP, OWNED_BYTES

    def rows(jobs: np.ndarray, inputs: int, out: int, count: int) -> None:
        job, backoff = jobs[0], 0
        for y in range(count):
            for block in range(job.blocks):
                x = inputs + job.x + y * job.x_row + block * job.x_block
                target = out + job.out + y * job.out_row + block * job.out_block
                start = 0
                while start < job.width:
                    # the last tile moves left to end with the row; the mask `owned` then starts as many rows of zeros earlier
                    pixel = min(start, job.width - mr)
                    backoff = run_tile(lanes, mr, nr, form, lanes_per_pass, mode, epilogue_kind, item, stamp, Tile(
                        x + pixel * job.x_pixel, job.x_pixel, job.weights + block * job.w_block, job.runs, job.n_runs,
                        job.n_passes, job.channels + block * job.per_block, job.lo, job.hi, job.acc_lo, job.acc_hi,
                        job.wrap, job.counters + block * job.per_block, job.owned + (pixel - start) * owned_bytes,
                        target + pixel * job.out_pixel, job.out_pixel, backoff))
                    start += mr

    return compiled(rows, (numba.typeof(np.zeros(1, JOB)), *[types.int64] * 3))
