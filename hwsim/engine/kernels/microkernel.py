"""The generator of micro-kernels: LLVM IR for one register tile, and the loop over tiles that numba compiles around it.

A tile is MR pixels of an output row x NR columns of 16 output channels, in registers from bias to stored output:

    acc = bias
    for run in runs:               a run is a contiguous stretch of inputs, its offset from a table: all geometry is there
        for beat in run:           `lanes_per_pass` 32-bit lanes of inputs, each holding `form` of them
            acc += dot(x[pixel, beat], w[beat])
            the mode's rule: saturate, observe, count
    store requantized acc

A pass of the inner loop is a beat; where the order of exact sums is free, it is as long as suits the loop.
"""
import zlib
from functools import lru_cache
from pathlib import Path

import llvmlite
import numba
import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from hwsim.engine.kernels import epilogue, ir, target, variant
from hwsim.engine.kernels.compiling import compiled
from hwsim.engine.kernels.epilogue import fresh
from hwsim.engine.kernels.ir import at, constant, counted_loop, i16, i32, i64, load, smax, smin, splat, store, vector
from hwsim.engine.kernels.target import COLUMN, rung_of_lanes
from hwsim.engine.kernels.variant import COUNTS, JOB, WATCHES, Form, Mode, Tally, Tile, Variant


def stamp():
    """A checksum of everything that the emitted code depends on: numba's cache watches this file only."""
    sources = b"".join(Path(module.__file__).read_bytes() for module in (epilogue, ir, target, variant))
    return zlib.crc32(sources + f"{numba.__version__} {llvmlite.__version__}".encode())


STAMP = stamp()


def emit_tile(b, tile, v):
    """Emits the whole tile of variant `v` at the builder's place."""
    rung = rung_of_lanes(v.lanes)
    vecs = v.nr * COLUMN // v.lanes
    acc = _vectors(b, tile.channels, vecs, rung) * v.mr
    tally = _vectors(b, tile.tally, len(Tally) * vecs, rung) if v.mode & WATCHES else []
    beat_end = BeatEnd(b, tile, v, rung)
    state = counted_loop(b, tile.n_runs, [tile.weights, *acc, *tally],
                         lambda run, state: _one_run(b, tile, v, rung, run, state, beat_end))
    acc, tally = state[1:1 + len(acc)], state[1 + len(acc):]
    if v.mode & Mode.WRAP:
        acc = [beat_end.wrapped(value) for value in acc]
    for n, value in enumerate(epilogue.emit(b, v, rung, tile, acc, tally)):
        store(b, value, at(b, tile.tally, n * v.lanes * 4), 4)


def _vectors(b, address, count, rung):
    return [load(b, at(b, address, n * rung.lanes * 4), vector(i32, rung.lanes), 4) for n in range(count)]


def _one_run(b, tile, v, rung, run, state, beat_end):
    base = b.add(tile.x, load(b, b.add(tile.runs, b.mul(run, i64(8))), i64, 8))
    inputs = [b.add(base, b.mul(tile.x_pixel, i64(m))) for m in range(v.mr)]
    if v.form == Form.CHANNEL:
        return _one_beat(b, v, rung, inputs, i64(0), state, beat_end)
    step = i64(4 * v.lanes_per_pass)
    return counted_loop(b, tile.n_passes, state,
                        lambda j, state: _one_beat(b, v, rung, inputs, b.mul(j, step), state, beat_end))


def _one_beat(b, v, rung, inputs, here, state, beat_end):
    vecs, size = v.nr * COLUMN // v.lanes, v.lanes * 4
    w, acc, tally = state[0], list(state[1:1 + v.mr * vecs]), list(state[1 + v.mr * vecs:])
    start = list(acc)
    if v.mode & COUNTS:
        acc = [constant(value.type, 0) for value in acc]
    for g in range(v.lanes_per_pass):
        weights = [load(b, at(b, w, (g * vecs + n) * size), vector(i32, v.lanes), 4) for n in range(vecs)]
        for m in range(v.mr):
            x = _inputs(b, v, rung, at(b, b.add(inputs[m], here), 4 * g), vecs)
            for n in range(vecs):
                acc[m * vecs + n] = _dot(b, v, rung, acc[m * vecs + n], x[n], weights[n])
    acc, tally = beat_end(start, acc, tally)
    return [at(b, w, v.lanes_per_pass * vecs * size), *acc, *tally]


def _inputs(b, v, rung, address, vecs):
    """The activation operand of every vector of one pixel."""
    if v.form != Form.CHANNEL:
        return [splat(b, load(b, address, i32, 1), v.lanes)] * vecs
    words = [load(b, at(b, address, n * v.lanes * 2), vector(i16, v.lanes), 1) for n in range(vecs)]
    return [b.zext(word, vector(i32, v.lanes)) for word in words]


def _dot(b, v, rung, acc, x, w):
    return ir.byte_dot(b, acc, x, w) if v.form == Form.QUAD else ir.madd(b, rung, acc, x, w)


class BeatEnd:
    """The rule of a mode at the end of a beat: (accumulators before, after or the beat's own sums, tally) -> (acc, tally)."""

    def __init__(self, b, tile, v, rung):
        self.b, self.v, self.vecs = b, v, v.nr * COLUMN // v.lanes
        if v.mode & (COUNTS | Mode.SATURATE):
            self.lo, self.hi = (splat(b, b.trunc(value, i32), v.lanes) for value in (tile.acc_lo, tile.acc_hi))
        if v.mode & (Mode.WRAP | Mode.COUNT_WRAP):
            self.wrap = splat(b, b.trunc(tile.wrap, i32), v.lanes)
        if v.mode & COUNTS:
            self.fresh = [fresh(b, rung, tile, pixel) for pixel in range(v.mr)]

    def __call__(self, start, acc, tally):
        mode = self.v.mode
        if mode & COUNTS:
            acc = [self.b.add(one, other) for one, other in zip(start, acc)]
            self._count(acc, tally)
        if mode & Mode.OBSERVE:
            self._observe(acc, tally)
        if mode & (Mode.SATURATE | Mode.COUNT_SATURATE):
            acc = [self._limited(value) for value in acc]
        if mode & Mode.COUNT_WRAP:
            acc = [self.wrapped(value) for value in acc]
        return acc, tally

    def wrapped(self, value):
        """`value` modulo 2^acc_bits: `wrap` is 32 - acc_bits."""
        return self.b.ashr(self.b.shl(value, self.wrap), self.wrap)

    def _limited(self, value):
        return smin(self.b, smax(self.b, value, self.lo), self.hi)

    def _observe(self, acc, tally):
        for index, value in enumerate(acc):
            least, most = (row * self.vecs + index % self.vecs for row in (Tally.LEAST, Tally.MOST))
            tally[least], tally[most] = smin(self.b, tally[least], value), smax(self.b, tally[most], value)

    def _count(self, acc, tally):
        for index, value in enumerate(acc):
            outside = self.b.sext(self.b.icmp_signed("!=", value, self._limited(value)), value.type)
            here = Tally.EVENTS * self.vecs + index % self.vecs
            tally[here] = self.b.sub(tally[here], self.b.and_(outside, self.fresh[index // self.vecs]))


@intrinsic(prefer_literal=True)
def run_tile(typingctx, lanes, mr, nr, form, lanes_per_pass, mode, finish, stamp, tile):
    """Runs one tile; all but the last argument are compile-time integers, `tile` is a Tile of int64."""
    chosen = Variant(*(kind.literal_value for kind in (lanes, mr, nr, form, lanes_per_pass, mode, finish)))

    def codegen(context, builder, signature, values):
        emit_tile(builder, Tile(*cgutils.unpack_tuple(builder, values[8])), chosen)
        return context.get_dummy_value()

    return types.void(lanes, mr, nr, form, lanes_per_pass, mode, finish, stamp, tile), codegen


@lru_cache(None)
def kernel(v):
    """The compiled function of a Variant on a JOB array of one: its output rows, tile after tile, of every block of channels.

    The weights of a block stay in the first cache while a row passes; the last tile of a row overlaps its neighbour. Numba's
    cache knows this closure by the integers that it holds, which are therefore all that it holds.
    """
    lanes, mr, nr, form, lanes_per_pass, mode, finish = (int(value) for value in v)
    stamp = STAMP

    def rows(jobs):
        job = jobs[0]
        for y in range(job.rows):
            for block in range(job.blocks):
                x = job.x + y * job.x_row + block * job.x_block
                out = job.out + y * job.out_row + block * job.out_block
                start = 0
                while start < job.width:
                    pixel = min(start, job.width - mr)
                    run_tile(lanes, mr, nr, form, lanes_per_pass, mode, finish, stamp, Tile(
                        x + pixel * job.x_pixel, job.x_pixel, job.weights + block * job.w_block, job.runs, job.n_runs,
                        job.n_passes, job.channels + block * job.per_block, job.lo, job.hi, job.acc_lo, job.acc_hi,
                        job.wrap, job.tally + block * job.per_block, start - pixel, out + pixel * job.out_pixel,
                        job.out_pixel))
                    start += mr

    return compiled(rows, (numba.typeof(np.zeros(1, JOB)),))
